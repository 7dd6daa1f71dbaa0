"""A stack with data, and another value of a setting that decides where the data lies."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scratch import Scratch

STACK = "living"
PROVIDER = f"urn:pulumi:{STACK}::mlflow::pulumi:providers:gcp::google"
ROOT = f"urn:pulumi:{STACK}::mlflow::pulumi:pulumi:Stack::mlflow-{STACK}"


def resource(component: str, kind: str, **outputs: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Return a component and its resource as the engine keeps them."""
    parent = f"urn:pulumi:{STACK}::mlflow::{component}::mlflow-tracking"
    return [
        {"urn": parent, "type": component, "custom": False, "parent": ROOT},
        {
            "urn": f"urn:pulumi:{STACK}::mlflow::{component}${kind}::mlflow-tracking",
            "type": kind,
            "custom": True,
            "id": outputs["name"],
            "parent": parent,
            "provider": f"{PROVIDER}::1",
            "inputs": {},
            "outputs": outputs,
        },
    ]


RESOURCES = [
    {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False, "outputs": {"namespace": "mlflow"}},
    {"urn": PROVIDER, "type": "pulumi:providers:gcp", "custom": True, "id": "1", "parent": ROOT},
    *resource(
        "mlflow:gcp:CloudSqlPostgres",
        "gcp:sql/databaseInstance:DatabaseInstance",
        name="mlflow-tracking",
        project="a-project",
        region="asia-southeast1",
        databaseVersion="POSTGRES_14",
        settings={"ipConfiguration": {"ipv4Enabled": True}},
    ),
    *resource("mlflow:gcp:ArtifactBucket", "gcp:storage/bucket:Bucket", name="a-project-mlflow-artefacts"),
]
"""What a state holds of a deployed stack, as far as it tells where data lies."""


@pytest.fixture
def living(dev: Scratch) -> Iterator[Scratch]:
    """The settings of `dev` with a state that says that they are deployed."""
    dev.output("pulumi", "stack", "init", STACK, "--copy-config-from", "dev")
    state = json.loads(dev.output("pulumi", "stack", "export", "--stack", STACK))
    state["deployment"]["resources"] = RESOURCES
    dev.output("pulumi", "stack", "import", "--stack", STACK, stdin=json.dumps(state))
    yield dev
    dev.output("pulumi", "stack", "rm", STACK, "--yes", "--force")
    dev.output("pulumi", "stack", "select", "dev")


def kept(project: Scratch) -> dict[str, Any]:
    """Return what the state holds of each resource, by URN."""
    exported = json.loads(project.output("pulumi", "stack", "export", "--stack", STACK))
    resources = exported["deployment"]["resources"]
    # The engine notes that it was asked for the state.
    return {each["urn"]: each.get("outputs") for each in resources if each["type"] != "pulumi:providers:pulumi"}


def test_a_change_that_would_hide_data_is_refused_and_nothing_is_touched(living: Scratch) -> None:
    before = kept(living)
    living.output("pulumi", "config", "set", "mlflow:databaseUser", "mlflow", "--stack", STACK)

    for command in ("preview", "up --yes --skip-preview"):
        done = living.run("pulumi", *command.split(), "--stack", STACK, "--color", "never")

        assert done.returncode != 0
        assert "mlflow:databaseUser is 'mlflow': the stack is deployed with 'postgres'" in done.stdout
        assert "Traceback" not in done.stdout
    assert kept(living) == before
