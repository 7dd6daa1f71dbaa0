"""Another value of a setting that decides where data lies is refused on a stack that has data."""

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from settings import Settings, deployed
from tests.unit.conftest import ADDED, Configure, Run
from tests.unit.engine import STACK_URN, deploy

NETWORK = ADDED["prod"]["mlflow:network"]
BEFORE = {
    "dev": {
        "gcp:project": "my-project",
        "mlflow:region": "asia-southeast1",
        "mlflow:databaseInstance": "mlflow-tracking",
        "mlflow:databaseUser": "postgres",
        "mlflow:databaseVersion": "POSTGRES_14",
        "mlflow:network": "",
        "mlflow:bucketName": "my-project-mlflow-artefacts",
        "mlflow:durable": "false",
        "mlflow:encryptionGeneration": "1",
    },
    "prod": {
        "gcp:project": "my-project",
        "mlflow:region": "asia-southeast1",
        "mlflow:databaseInstance": "mlflow-tracking",
        "mlflow:databaseUser": "mlflow",
        "mlflow:databaseVersion": "POSTGRES_18",
        "mlflow:network": NETWORK,
        "mlflow:bucketName": "my-project-mlflow-artefacts",
        "mlflow:durable": "true",
        "mlflow:encryptionGeneration": "1",
    },
}
"""What the stacks are found to be deployed with."""

PUBLIC = {"mlflow:network": "", "mlflow:authorizedNetworks": ["203.0.113.7/32"]}
PRIVATE = {"mlflow:network": NETWORK, "mlflow:authorizedNetworks": []}


def found(state: dict[str, Any]) -> dict[str, str]:
    """Return what is read out of a state."""
    read: dict[str, str] = {}

    def program() -> dict[str, pulumi.Output[Any] | None]:
        read.update(deployed())
        return {}

    deploy(program, state=state)
    return read


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_what_a_stack_is_deployed_with_is_found_again_in_its_state(run: Run, stack: str) -> None:
    assert found(run(stack=stack).state()) == BEFORE[stack]


def test_what_nobody_has_logged_to_or_somebody_deleted_holds_no_data(run: Run) -> None:
    state = run().state()
    without_database = {urn: each for urn, each in state.items() if not urn.split("::")[2].endswith("DatabaseInstance")}

    assert found({}) == {}
    assert found({**state, STACK_URN: {"outputs": {}}}) == {}
    assert found(without_database) == {
        key: value for key, value in BEFORE["dev"].items() if key in {"mlflow:bucketName", "mlflow:durable"}
    }


@pytest.mark.parametrize("preview", [True, False])
def test_the_program_refuses_before_anything_is_registered(run: Run, *, preview: bool) -> None:
    with pytest.raises(pulumi.RunError, match=r"mlflow:databaseUser is 'mlflow': .* deployed with 'postgres'"):
        run({"mlflow:databaseUser": "mlflow"}, state=run().state(), preview=preview)


@pytest.mark.parametrize(
    ("stack", "changes", "named"),
    [
        ("dev", {"gcp:project": "other-project", "mlflow:bucketName": "my-project-mlflow-artefacts"}, "gcp:project"),
        ("dev", {"mlflow:region": "europe-west1"}, "mlflow:region"),
        ("dev", {"mlflow:databaseInstance": "another"}, "mlflow:databaseInstance"),
        ("dev", {"mlflow:databaseUser": "mlflow"}, "mlflow:databaseUser"),
        ("prod", {"mlflow:databaseUser": "postgres"}, "mlflow:databaseUser"),
        ("prod", {"mlflow:databaseVersion": "POSTGRES_17"}, "mlflow:databaseVersion"),
        ("dev", {"mlflow:bucketName": "another-bucket"}, "mlflow:bucketName"),
        ("prod", {"mlflow:durable": False}, "mlflow:durable"),
    ],
)
def test_a_change_that_hides_data_is_refused_with_both_values_and_the_way_that_keeps_it(
    configure: Configure, stack: str, changes: dict[str, Any], named: str
) -> None:
    configure(changes, stack=stack)

    with pytest.raises(pulumi.RunError) as refusal:
        Settings.load(lambda: BEFORE[stack])

    (problem,) = str(refusal.value).splitlines()[1:]
    now = "false" if changes[named] is False else changes[named]
    assert problem.strip().startswith(f"{named} is '{now}': the stack is deployed with '{BEFORE[stack][named]}', and ")
    assert "set it back" in problem
    assert "docs/day-two.md, Back up and restore" in problem
    assert "`pulumi destroy`" in problem


def test_a_private_address_is_not_taken_away(configure: Configure) -> None:
    configure(PUBLIC)

    with pytest.raises(pulumi.RunError, match=rf"mlflow:network is not set: .* deployed with '{NETWORK}'"):
        Settings.load(lambda: {**BEFORE["dev"], "mlflow:network": NETWORK})


def test_keys_that_the_database_is_encrypted_with_are_not_deleted(configure: Configure) -> None:
    configure({"mlflow:encryptionGeneration": 2})

    assert Settings.load(lambda: {**BEFORE["dev"], "mlflow:encryptionGeneration": "1"})
    with pytest.raises(pulumi.RunError, match=r"mlflow:encryptionGeneration is '2': .* deployed with '3', .* read"):
        Settings.load(lambda: {**BEFORE["dev"], "mlflow:encryptionGeneration": "3"})


def test_all_that_would_hide_data_is_told_at_once(configure: Configure) -> None:
    configure({"mlflow:region": "europe-west1", "mlflow:bucketName": "another-bucket"})

    with pytest.raises(pulumi.RunError) as refusal:
        Settings.load(lambda: BEFORE["dev"])

    told = [line.split()[0] for line in str(refusal.value).splitlines()[1:]]
    assert told == ["mlflow:region", "mlflow:bucketName"]


@pytest.mark.parametrize(
    ("stack", "changes"),
    [
        ("dev", {}),
        ("prod", {}),
        ("dev", {"mlflow:databaseVersion": "POSTGRES_18"}),
        ("dev", PRIVATE),
        ("dev", {**PRIVATE, "mlflow:durable": True}),
        ("prod", {"mlflow:network": "projects/my-project/global/networks/another"}),
        ("prod", {"mlflow:ownPeering": False}),
        ("prod", {"mlflow:deletionProtection": False}),
        ("prod", {"mlflow:artifactAccess": "direct"}),
        ("prod", {"mlflow:authentication": "none"}),
        ("prod", {"mlflow:host": "another.example.com"}),
        ("prod", {"mlflow:workloadIdentity": False}),
        ("prod", {"mlflow:deletedRunRetention": ""}),
        ("prod", {"kubernetes:context": "another"}),
    ],
)
def test_what_keeps_data_in_sight_is_accepted(configure: Configure, stack: str, changes: dict[str, Any]) -> None:
    configure(changes, stack=stack)

    assert Settings.load(lambda: BEFORE[stack])


@pytest.mark.parametrize("failures", [0, 3])
def test_a_state_that_is_just_being_written_is_read_again(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    answers = iter([*[OSError("failed to load checkpoint: EOF")] * failures, {"outputs": {}}])

    def invoke(*_: object) -> SimpleNamespace:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return SimpleNamespace(value=answer)

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)

    assert deployed() == {}
    assert next(answers, None) is None


@pytest.mark.parametrize("message", ["failed to load checkpoint: EOF", "no such stack"])
def test_a_state_that_cannot_be_read_ends_the_run(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def invoke(*_: object) -> None:
        raise OSError(message)

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr("settings.state._WRITTEN_SECONDS", 0.1)

    with pytest.raises(OSError, match=message):
        deployed()
