"""What a preview tells, in words: each difference named, and no secret among them."""

from typing import Any

import pytest

from operations.drift import differences

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
