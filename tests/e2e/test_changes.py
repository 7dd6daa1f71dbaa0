"""What a change touches, and that clients do not notice it."""

import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from local.process import wait_for
from tests.e2e.conftest import Stack
from tests.e2e.test_cluster import kubectl

WORKLOAD = {
    "kubernetes:batch/v1:Job::mlflow-tracking-server-migration": "replace",
    "kubernetes:apps/v1:Deployment::mlflow-tracking-server": "update",
    "kubernetes:batch/v1:Job::mlflow-tracking-server-retirement": "replace",
}
PASSWORD = "random:index/randomPassword:RandomPassword::mlflow-tracking-password"  # noqa: S105 - its name


def with_setting(stack: Stack, folder: Path, key: str, value: str) -> str:
    """Write a copy of the stack's file with one other value and return the option that names it."""
    file = folder / "Pulumi.local.yaml"
    shutil.copy(stack.project.folder / "Pulumi.local.yaml", file)
    stack.project.output("pulumi", "config", "set", "--config-file", str(file), "--plaintext", key, value)
    return f"--config-file={file}"


def resources(stack: Stack) -> dict[str, tuple[str, str]]:
    """Return the id of each resource in the stack's state, and when it was changed last."""
    state = json.loads(stack.project.output("pulumi", "stack", "export"))["deployment"]
    return {found["urn"]: (found.get("id", ""), found["modified"]) for found in state["resources"]}


def test_a_second_make_up_changes_nothing(stack: Stack) -> None:
    before = resources(stack)

    again = stack.project.run("make", "up")

    assert again.returncode == 0, again.stderr
    assert again.stdout.strip().splitlines()[-1] == stack.tracking_uri
    assert resources(stack) == before


@pytest.mark.parametrize("command", ["preview", "up --yes --skip-preview", "refresh --yes --skip-preview"])
def test_nothing_changed_means_no_change(stack: Stack, command: str) -> None:
    stack.project.output("pulumi", *command.split(), "--expect-no-changes")


def test_another_image_changes_the_workload_alone(stack: Stack, tmp_path: Path) -> None:
    option = with_setting(stack, tmp_path, "mlflow:image", "localhost/mlflow-tracking-server:other")

    assert stack.project.changes(option) == WORKLOAD


@pytest.mark.parametrize(
    ("key", "value", "before"),
    [
        ("mlflow:bucketName", "another-bucket-of-artefacts", "local-project-mlflow-artefacts"),
        ("mlflow:databaseInstance", "another-instance", "mlflow-tracking"),
        ("mlflow:databaseUser", "mlflow", "postgres"),
    ],
)
def test_another_place_for_the_data_is_refused_and_nothing_is_touched(
    stack: Stack, tmp_path: Path, key: str, value: str, before: str
) -> None:
    state = resources(stack)
    option = with_setting(stack, tmp_path, key, value)

    done = stack.project.run("pulumi", "up", "--yes", "--skip-preview", "--color", "never", option)

    assert done.returncode != 0
    assert f"{key} is '{value}': the stack is deployed with '{before}'" in done.stdout
    assert resources(stack) == state


def test_another_way_to_the_artifacts_changes_the_server_alone(stack: Stack, tmp_path: Path) -> None:
    option = with_setting(stack, tmp_path, "mlflow:artifactAccess", "direct")

    assert stack.project.changes(option) == {"kubernetes:apps/v1:Deployment::mlflow-tracking-server": "update"}


@contextmanager
def constant_requests(url: str) -> Generator[list[str]]:
    """Ask for `url` without a pause, each time over a new connection; yield the list of failures."""
    failures: list[str] = []
    asked = 0
    done = threading.Event()

    def ask() -> None:
        nonlocal asked
        while not done.is_set():
            asked += 1
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    answer.read()
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                failures.append(repr(error))

    client = threading.Thread(target=ask)
    client.start()
    try:
        yield failures
    finally:
        done.set()
        client.join()
    assert asked > 50


def server_pods(stack: Stack) -> set[str]:
    """Return the names of the server's pods."""
    words = ("get", "pods", "--selector", "app=mlflow-tracking-server-pods", "--output", "name")
    return set(kubectl(stack, *words).split())


def jobs(stack: Stack) -> set[str]:
    """Return the names of the Jobs on the database."""
    return set(kubectl(stack, "get", "jobs", "--output", "name").split())


def update(stack: Stack, *options: str) -> None:
    """Update the stack and wait until the pods of before are gone."""
    before = server_pods(stack)
    stack.project.output("pulumi", "up", "--yes", "--skip-preview", *options)
    kubectl(stack, "wait", "--for=delete", "--timeout=90s", *before)


def test_a_new_password_rolls_the_pods_without_a_failed_request(stack: Stack) -> None:
    urn = next(urn for urn in resources(stack) if urn.endswith(PASSWORD))

    with constant_requests(f"{stack.tracking_uri}/api/2.0/mlflow/experiments/search?max_results=5") as failures:
        update(stack, "--replace", urn)

    assert failures == []


def test_a_changed_configuration_rolls_the_pods_without_a_failed_request(stack: Stack, tmp_path: Path) -> None:
    option = with_setting(stack, tmp_path, "mlflow:artifactAccess", "direct")

    with constant_requests(f"{stack.tracking_uri}/api/2.0/mlflow/experiments/search?max_results=5") as failures:
        update(stack, option)
        update(stack)

    assert failures == []


def test_a_migration_that_failed_is_run_again_by_the_next_update(stack: Stack, database: psycopg.Connection) -> None:
    database.autocommit = True
    known = database.execute("SELECT version_num FROM alembic_version").fetchone()
    database.execute("UPDATE alembic_version SET version_num = 'unknown'")
    rotated = next(urn for urn in resources(stack) if urn.endswith(PASSWORD))
    before = jobs(stack)

    with ThreadPoolExecutor() as pool:
        asked = ("pulumi", "up", "--yes", "--skip-preview", "--color", "never", "--replace", rotated)
        failing = pool.submit(stack.project.run, *asked)
        wait_for(lambda: bool(jobs(stack) - before), what="the Job on the new password", deadline=90)
        (failed,) = jobs(stack) - before
        # Its own patience with a pod that fails is a minute and a half.
        kubectl(stack, "patch", failed, "--patch", '{"spec": {"activeDeadlineSeconds": 1}}')
    assert failing.result().returncode != 0
    assert "migration" in failing.result().stdout
    database.execute("UPDATE alembic_version SET version_num = %s", known)
    update(stack)

    assert failed not in jobs(stack)
    stack.project.output("pulumi", "preview", "--expect-no-changes")
