"""The database password is nowhere in the clear."""

import base64
import json
import subprocess

import pytest

from local.instance import Instance
from tests.e2e.conftest import INSTANCE, Stack
from tests.e2e.test_cluster import kubectl


@pytest.fixture
def password(stack: Stack) -> str:
    """The password that the server really uses."""
    data = json.loads(kubectl(stack, "get", "secret", "mlflow-postgresql-credentials", "--output", "json"))["data"]
    return base64.b64decode(data["postgresql-password"]).decode()


def forms(password: str) -> list[str]:
    """The password as it would appear plainly, inside JSON, or in base64."""
    return [password, json.dumps(password)[1:-1], base64.b64encode(password.encode()).decode()]


def test_the_password_is_long_and_random(password: str) -> None:
    assert len(password) >= 24
    assert len(set(password)) > 12


def test_the_exported_state_has_no_password(stack: Stack, password: str) -> None:
    exported = stack.project.output("pulumi", "stack", "export")

    assert "ciphertext" in exported
    assert not [form for form in forms(password) if form in exported]


def test_the_state_on_disk_has_no_password(password: str) -> None:
    files = [path for path in (Instance(INSTANCE).state / "pulumi" / ".pulumi").rglob("*") if path.is_file()]

    assert files
    assert not [path for path in files for form in forms(password) if form.encode() in path.read_bytes()]


def test_what_kubectl_describes_has_no_password(stack: Stack, password: str) -> None:
    described = kubectl(stack, "describe", "all,configmaps,secrets")

    assert "mlflow-postgresql-credentials" in described
    assert not [form for form in forms(password) if form in described]


def test_no_process_has_the_password_among_its_arguments(password: str) -> None:
    arguments = subprocess.run(["ps", "-eww", "-o", "args="], check=True, capture_output=True).stdout

    assert b"mlflow" in arguments
    assert not [form for form in forms(password) if form.encode() in arguments]


def test_no_log_has_the_password(stack: Stack, password: str) -> None:
    logs = [path.read_text(errors="replace") for path in Instance(INSTANCE).log_dir.glob("*.log")]
    logs.append(kubectl(stack, "logs", "deployment/mlflow-tracking-server"))

    assert sum(map(len, logs)) > 10_000
    assert not [form for text in logs for form in forms(password) if form in text]
