"""One real installation for all end-to-end tests, beside any that a person runs, gone without a trace afterwards."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from local.instance import NAME_VARIABLE, Instance
from local.ownership import owner
from tests.e2e import machine
from tests.scratch import Scratch

INSTANCE = "end-to-end"


@dataclass(frozen=True)
class Stack:
    """The running `local` stack of the tests' instance.

    Attributes:
        project: the copy of the project that it was started from.
        outputs: its outputs.
        up_seconds: how long `make up` took.
        before: the machine's traces of the instance before there was one.

    """

    project: Scratch
    outputs: dict[str, str]
    up_seconds: float
    before: set[str]

    @property
    def tracking_uri(self) -> str:
        """Where the tracking server answers."""
        return self.outputs["tracking_uri"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stop and mend the installation late, and remove it last."""
    late = ("e2e/test_installation", "e2e/test_removal")
    places = [place for place, item in enumerate(items) if "/e2e/" in item.nodeid]
    ours = sorted((items[place] for place in places), key=lambda item: [name in item.nodeid for name in reversed(late)])
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """A copy of the project whose instance is removed before and after."""
    scratch = Scratch.create(tmp_path_factory.mktemp("clone"), {NAME_VARIABLE: INSTANCE})
    left_by = owner(Instance(INSTANCE))
    Scratch(left_by if left_by and left_by.exists() else scratch.folder, scratch.env).run("make", "down")
    assert not Instance(INSTANCE).state.exists()
    yield scratch
    scratch.output("make", "down")


@pytest.fixture(scope="package")
def stack(project: Scratch) -> Stack:
    """The stack after `make up`."""
    before = machine.trace(Instance(INSTANCE))
    started = time.monotonic()
    made = project.run("make", "up")
    assert made.returncode == 0, made.stdout + made.stderr
    seconds = time.monotonic() - started
    running = project.acting()
    outputs = json.loads(running.output("pulumi", "stack", "output", "--json"))
    assert made.stdout.strip().splitlines()[-1] == outputs["tracking_uri"]
    return Stack(running, outputs, seconds, before)


@pytest.fixture
def database(stack: Stack) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the metadata database."""
    password = stack.project.output(
        "kubectl",
        "get",
        "secret",
        "mlflow-postgresql-credentials",
        "--namespace",
        stack.outputs["namespace"],
        "--output",
        "go-template={{index .data `postgresql-password` | base64decode}}",
    )
    with psycopg.connect(
        host=stack.outputs["database_host"], user="postgres", dbname="postgres", password=password, sslmode="require"
    ) as connection:
        yield connection


@pytest.fixture(autouse=True)
def clients_of_the_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's and Google's clients act on the stack."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stack.tracking_uri)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", stack.project.env["STORAGE_EMULATOR_HOST"])
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
