"""One rehearsal of the `prod` stack for all tests of it, on an instance of its own that is gone afterwards."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.image import build
from local.instance import LATE_VARIABLE, NAME_VARIABLE, Instance
from local.ownership import owner
from tests.production.certificate import certificate
from tests.production.rehearsal import HOST, Rehearsal
from tests.scratch import Scratch

INSTANCE = "production"
LATE_SECONDS = "30"  # grants and the address of an Ingress: minutes at Google


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the stack down last."""
    items.sort(key=lambda item: "day_two/test_removal" in item.nodeid)


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """A copy of the project whose instance runs without a stack, and is removed before and after."""
    scratch = Scratch.create(tmp_path_factory.mktemp("clone"), {NAME_VARIABLE: INSTANCE, LATE_VARIABLE: LATE_SECONDS})
    left_by = owner(Instance(INSTANCE))
    Scratch(left_by if left_by and left_by.exists() else scratch.folder, scratch.env).output("make", "down")
    scratch.output("python3", "-m", "local", "start")
    yield scratch.acting()
    scratch.output("python3", "-m", "local", "down")


@pytest.fixture(scope="package")
def rehearsal(project: Scratch) -> Rehearsal:
    """The `prod` stack, up."""
    made = Rehearsal(project, Instance(INSTANCE), certificate(HOST))
    made.configure(made.by_digest(build().tag), {})
    made.deploy()
    return made


@pytest.fixture(scope="package")
def authority(rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the authority that clients trust."""
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_text(rehearsal.certificate.authority)
    return file


@pytest.fixture(scope="package")
def password(rehearsal: Rehearsal) -> str:
    """The administrator's password."""
    return rehearsal.outputs()["admin_password"]


@pytest.fixture(scope="package")
def address(rehearsal: Rehearsal) -> str:
    """Where the Ingress says that the host is."""
    return rehearsal.kubectl(
        "get", "ingress", "mlflow-tracking-server", "--output", "jsonpath={.status.loadBalancer.ingress[0].ip}"
    )


@pytest.fixture(autouse=True)
def clients_of_the_stack(
    rehearsal: Rehearsal, authority: Path, password: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's and Google's clients act on the stack, and find its host where the Ingress says it is."""
    monkeypatch.setattr(socket, "getaddrinfo", _resolving(HOST, address))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://{HOST}")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(authority))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", rehearsal.instance.gcp_endpoint)


def _resolving(host: str, address: str) -> Callable[..., Any]:
    """Return a getaddrinfo that knows one host more: what a team's DNS would say."""
    asked = socket.getaddrinfo

    def getaddrinfo(name: str | bytes | None, *rest: Any, **options: Any) -> Any:  # noqa: ANN401 - as the original
        return asked(address if name in {host, host.encode()} else name, *rest, **options)

    return getaddrinfo
