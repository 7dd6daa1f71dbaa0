"""What a preview tells, in words: each difference named, and no secret among them."""

import json
from typing import Any

import pytest

from operations.drift import differences, drift, since
from operations.stack import Stack
from tests.operations.conftest import Program

Json = dict[str, Any]


def step(operation: str, kind: str = "gcp:sql/databaseInstance:DatabaseInstance", **rest: object) -> Json:
    """Return a step of a preview, as `pulumi preview --json` has it."""
    return {"op": operation, "urn": f"urn:pulumi:prod::mlflow::mlflow:gcp:CloudSqlPostgres${kind}::tracking", **rest}


def update(found: Json, wanted: Json, *paths: str, **rest: str) -> Json:
    diff = {path: {"kind": "update", "inputDiff": False} for path in paths}
    return step("update", oldState={"outputs": found}, newState={"inputs": wanted}, detailedDiff=diff, **rest)


@pytest.mark.parametrize("operation", ["same", "refresh", "read"])
def test_what_is_as_it_should_be_is_not_named(operation: str) -> None:
    assert list(differences(step(operation))) == []


def test_another_kubeconfig_than_that_of_the_last_deployment_is_no_difference() -> None:
    cluster = update({"kubeconfig": "here"}, {}, "kubeconfig")

    assert list(differences({**cluster, "urn": "urn:pulumi:prod::mlflow::pulumi:providers:kubernetes::cluster"})) == []


@pytest.mark.parametrize(
    ("found", "wanted", "path", "line"),
    [
        ({"labels": {}}, {"labels": {"app": "x"}}, "labels.app", 'labels.app is missing and should be "x"'),
        ({"tier": "a"}, {"tier": "b"}, "tier", 'tier is "a" and should be "b"'),
        ({"nets": [{"value": "0.0.0.0/0"}]}, {}, "nets", 'nets is [{"value": "0.0.0.0/0"}] and should not be set'),
        ({"flags": [{"name": "a"}]}, {"flags": [{"name": "b"}]}, "flags[0].name", '[0].name is "a" and should be "b"'),
        (
            {"metadata": {"name": "tls", "annotations": {"a.b/c": "1"}}},
            {"metadata": {"annotations": {"a.b/c": "2"}}},
            'metadata.annotations["a.b/c"]',
            'DatabaseInstance tls: metadata.annotations["a.b/c"] is "1" and should be "2"',
        ),
    ],
)
def test_a_difference_says_what_is_there_and_what_should_be(found: Json, wanted: Json, path: str, line: str) -> None:
    (said,) = differences(update(found, wanted, path))

    assert said.endswith(line)


def test_of_a_secret_only_the_place_is_named() -> None:
    whole = update({"data": "[secret]"}, {"data": "[secret]"}, "data.password")
    half = update({"password": "stolen"}, {"password": "[secret]"}, "password")

    for each in (whole, half):
        (said,) = differences(each)
        assert said.endswith("password is not what it should be (secret)")


def test_what_the_provider_keeps_twice_is_named_once() -> None:
    found = update({"labels": {}}, {"labels": {"app": "x"}}, "effectiveLabels.app", "labels.app", "terraformLabels.app")

    assert len(list(differences(found))) == 1


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        ("create", "DatabaseInstance tracking: is missing"),
        ("delete", "DatabaseInstance tracking: is there, and the program no longer names it"),
        ("replace", "DatabaseInstance tracking: differs in region, for which it has to be replaced"),
    ],
)
def test_what_is_missing_too_much_or_another_one_is_said_so(operation: str, line: str) -> None:
    assert list(differences(step(operation, replaceReasons=["region"]))) == [line]


def test_an_update_without_a_known_place_is_named_all_the_same() -> None:
    assert list(differences(update({}, {}))) == ["DatabaseInstance tracking: differs"]


def test_what_is_as_it_should_be_and_not_ready_is_no_difference() -> None:
    found = update({}, {})
    found["oldState"]["initErrors"] = ["Minimum number of live Pods was not attained"]

    assert list(differences(found)) == []


def deployment(cpu: str) -> Json:
    """Return a Deployment with a limit of CPU, and the checksum of a secret."""
    return {"spec": {"resources": {"limits": {"cpu": cpu}}, "annotations": {"checksum": "[secret]"}}}


CPU, CHECKSUM = "spec.resources.limits.cpu", "spec.annotations.checksum"
LEFT = {"inputs": deployment("2"), "outputs": deployment("1")}
"""What a deployment leaves where the cluster lowers the limit that it is given."""


@pytest.mark.parametrize("operation", ["update", "replace"])
def test_what_the_cluster_made_of_it_at_the_last_deployment_is_no_difference(operation: str) -> None:
    found = {**update(deployment("1"), deployment("2"), CPU), "op": operation, "replaceReasons": [CPU]}

    assert list(differences(since(LEFT, found))) == []
    assert list(differences(since({}, found))) != []


@pytest.mark.parametrize(
    ("found", "wanted", "paths", "named"),
    [
        (deployment("500m"), deployment("2"), [CPU], [CPU]),
        (deployment("1"), deployment("3"), [CPU], [CPU]),
        (deployment("1"), {}, [CPU], [CPU]),
        (deployment("1"), deployment("2"), [CPU, CHECKSUM], [CHECKSUM]),
        ({"spec": {}}, deployment("2"), [CPU], [CPU]),
    ],
    ids=["edited", "not deployed yet", "no longer set", "secret", "removed"],
)
def test_what_changed_since_the_last_deployment_is_a_difference(
    found: Json, wanted: Json, paths: list[str], named: list[str]
) -> None:
    said = list(differences(since(LEFT, update(found, wanted, *paths))))

    assert [line.split()[2] for line in said] == named


def test_an_update_without_a_known_place_stays_one_whatever_was_left() -> None:
    assert list(differences(since(LEFT, update({}, {})))) == ["DatabaseInstance tracking: differs"]


def said(preview: Json, left: Json | None = None) -> str:
    """Return a stand-in for `pulumi` that tells a preview, and the state."""
    state = {"deployment": {"resources": [left] if left else []}}
    return f"""case "$*" in *export*) echo '{json.dumps(state)}' ;; *) echo '{json.dumps(preview)}' ;; esac"""


def test_the_last_deployment_is_read_from_the_state(program: Program) -> None:
    found = update(deployment("1"), deployment("2"), CPU)
    program("pulumi", said({"steps": [found]}, {**LEFT, "urn": found["urn"]}))

    assert drift(stack(1, 0)) == []


def stack(least: int, most: int) -> Stack:
    """Return a stack with so many pods."""
    settings = {"kubernetes:context": "here", "mlflow:replicas": str(least), "mlflow:maxReplicas": str(most)}
    return Stack(name="prod", settings=settings, outputs={"namespace": "mlflow"})


@pytest.mark.parametrize("most", [0, 4])
def test_a_deployment_that_is_gone_hides_no_finding(program: Program, most: int) -> None:
    program("pulumi", said({"steps": [step("create")]}))
    program("kubectl", 'case "$*" in *--ignore-not-found*) ;; *) echo NotFound >&2; exit 1; esac')

    assert drift(stack(2, most)) == ["DatabaseInstance tracking: is missing"]


@pytest.mark.parametrize(("most", "found"), [(4, 0), (4, 2), (0, 0)])
def test_a_deployment_at_0_is_named_where_only_an_autoscaler_could_say_so(
    program: Program, most: int, found: int
) -> None:
    program("pulumi", said({"steps": []}))
    program("kubectl", f"echo {found}")

    lines = drift(stack(2, most))

    assert bool(lines) == (most > 0 and found == 0)
    assert all("is 0 and should be 2 to 4" in each and "operations start --stack prod" in each for each in lines)
