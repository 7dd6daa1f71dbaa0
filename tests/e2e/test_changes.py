"""What a change touches, and that clients do not notice it."""

import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.test_cluster import kubectl

GENERATED = "random:index/randomPassword:RandomPassword::"


def with_setting(stack: Stack, folder: Path, key: str, value: str) -> str:
    """Write a copy of the stack's file with one other value and return the option that names it."""
    file = folder / "Pulumi.local.yaml"
    shutil.copy(stack.project.folder / "Pulumi.local.yaml", file)
    stack.project.output("pulumi", "config", "set", "--config-file", str(file), "--plaintext", key, value)
    return f"--config-file={file}"


def test_a_second_make_up_changes_nothing(stack: Stack) -> None:
    before = stack.project.output("pulumi", "stack", "export")

    again = stack.project.run("make", "up")

    assert again.returncode == 0, again.stderr
    assert again.stdout.strip().splitlines()[-1] == stack.tracking_uri
    assert stack.project.output("pulumi", "stack", "export") == before


@pytest.mark.parametrize("command", ["preview", "up --yes --skip-preview", "refresh --yes --skip-preview"])
def test_nothing_changed_means_no_change(stack: Stack, command: str) -> None:
    stack.project.output("pulumi", *command.split(), "--expect-no-changes")


def test_another_image_changes_the_workload_alone(stack: Stack, tmp_path: Path) -> None:
    option = with_setting(stack, tmp_path, "mlflow:image", "localhost/mlflow-tracking-server:other")

    assert stack.project.changes(option) == {}


def test_another_bucket_changes_its_dependants_alone(stack: Stack, tmp_path: Path) -> None:
    option = with_setting(stack, tmp_path, "mlflow:bucketName", "another-bucket-of-artefacts")

    assert stack.project.changes(option) == {}


def test_another_database_instance_changes_its_dependants_alone(stack: Stack, tmp_path: Path) -> None:
    option = with_setting(stack, tmp_path, "mlflow:databaseInstance", "another-instance")

    assert stack.project.changes(option) == {}


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


def test_a_new_password_rolls_the_pods_without_a_failed_request(stack: Stack) -> None:
    before = server_pods(stack)
    urns = [urn for urn in stack.project.output("pulumi", "stack", "export").split('"') if GENERATED in urn]

    with constant_requests(f"{stack.tracking_uri}/api/2.0/mlflow/experiments/search?max_results=5") as failures:
        stack.project.output("pulumi", "up", "--yes", "--skip-preview", "--replace", urns[0])

    assert failures == []
    assert not before & server_pods(stack)


def test_a_changed_configuration_rolls_the_pods_without_a_failed_request(stack: Stack, tmp_path: Path) -> None:
    before = server_pods(stack)
    option = with_setting(stack, tmp_path, "mlflow:bucketName", "another-bucket-of-artefacts")

    with constant_requests(f"{stack.tracking_uri}/api/2.0/mlflow/experiments/search?max_results=5") as failures:
        stack.project.output("pulumi", "up", "--yes", "--skip-preview", option)
        middle = server_pods(stack)
        stack.project.output("pulumi", "up", "--yes", "--skip-preview")

    assert failures == []
    assert not before & middle
    assert not middle & server_pods(stack)
