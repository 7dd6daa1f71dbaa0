"""Another value of a setting: what it changes in place, and what it would take away and may not."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import pytest

from tests.production.rehearsal import STACK, Rehearsal

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance::mlflow-tracking"


@contextmanager
def changed(rehearsal: Rehearsal, settings: Mapping[str, str]) -> Generator[None]:
    """Change settings of the stack's file while the block runs."""
    file = rehearsal.project.folder / f"Pulumi.{STACK}.yaml"
    original = file.read_text()
    rehearsal.change_settings(settings)
    try:
        yield
    finally:
        file.write_text(original)


def state(rehearsal: Rehearsal) -> str:
    """Return all that the engine knows of the stack."""
    return rehearsal.project.output("pulumi", "stack", "export", "--stack", STACK)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mlflow:databaseTier", "db-custom-4-15360"),
        ("mlflow:databaseStorageLimit", "200"),
        ("mlflow:maintenanceWindow", "MON 3"),
    ],
)
def test_another_form_of_the_database_is_an_update_and_no_replacement(
    rehearsal: Rehearsal, key: str, value: str
) -> None:
    with changed(rehearsal, {key: value}):
        assert rehearsal.project.changes("--stack", STACK) == {INSTANCE: "update"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mlflow:region", "europe-west1"),
        ("mlflow:databaseInstance", "mlflow-another"),
        ("mlflow:bucketName", "team-project-another"),
        ("mlflow:durable", "false"),
    ],
)
def test_what_would_hide_data_or_leave_it_behind_is_refused_and_nothing_is_touched(
    rehearsal: Rehearsal, key: str, value: str
) -> None:
    before = state(rehearsal)

    with changed(rehearsal, {key: value}):
        done = rehearsal.project.run("make", "deploy", f"STACK={STACK}")

    assert done.returncode != 0
    assert f"{key} is '{value}': the stack is deployed with " in done.stdout + done.stderr
    assert state(rehearsal) == before


def test_the_namespace_of_another_stack_is_not_taken(rehearsal: Rehearsal) -> None:
    project, before = rehearsal.project, rehearsal.kubectl("get", "namespace", "mlflow", "--output", "yaml")
    project.output("pulumi", "stack", "init", "beside", "--copy-config-from", STACK)

    # The whole stack would have made its buckets by the time it is refused.
    targets = ("--target", "**:TrackingServer::**", "--target", "**:Namespace::**")
    done = project.run("pulumi", "up", "--yes", "--skip-preview", "--stack", "beside", *targets)
    project.output("pulumi", "stack", "rm", "--yes", "--force", "--stack", "beside")

    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert re.search(r"conflict with .*: \.metadata\.labels\.app\.kubernetes\.io/instance", said), said
    assert rehearsal.kubectl("get", "namespace", "mlflow", "--output", "yaml") == before
