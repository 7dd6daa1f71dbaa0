"""One installation on minikube for all these tests, beside any that a person runs, gone without a trace afterwards."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import mlflow
import pytest
from mlflow.artifacts import load_text

from local.instance import CLUSTER_VARIABLE, NAME_VARIABLE, Instance
from local.ownership import owner
from tests.minikube import machine
from tests.scratch import Scratch

INSTANCE = Instance("on-minikube")


@dataclass(frozen=True)
class Installation:
    """What `make up` made.

    Attributes:
        project: the copy of the project that it was started from.
        before: what the machine looked like before.

    """

    project: Scratch
    before: set[str]

    def up(self) -> str:
        """Run `make up`; return the tracking URI."""
        return self.project.output("make", "up").strip().splitlines()[-1]

    def acting(self) -> Scratch:
        """Return the project with what `python -m local env` prints."""
        return self.project.acting()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """A copy of the project whose instance is removed before and after."""
    variables = {NAME_VARIABLE: INSTANCE.name, CLUSTER_VARIABLE: "minikube"}
    scratch = Scratch.create(tmp_path_factory.mktemp("clone"), variables)
    left_by = owner(INSTANCE)
    Scratch(left_by if left_by and left_by.exists() else scratch.folder, scratch.env).output("make", "down")
    yield scratch
    scratch.output("make", "down")


@pytest.fixture(scope="session")
def installation(project: Scratch) -> Installation:
    """The `local` stack, up."""
    made = Installation(project, machine.trace(INSTANCE))
    made.up()
    return made


@pytest.fixture(scope="session")
def run_id(installation: Installation) -> str:
    """A run with a metric and an artifact."""
    outputs = json.loads(installation.acting().output("pulumi", "stack", "output", "--json"))
    mlflow.set_tracking_uri(outputs["tracking_uri"])
    with mlflow.start_run() as run:
        mlflow.log_metric("accuracy", 0.97)
        mlflow.log_text("kept", "note.txt")
    return run.info.run_id


def kept(run_id: str) -> bool:
    """Tell whether the run is there with all that was logged."""
    run = mlflow.get_run(run_id)
    text = load_text(f"{run.info.artifact_uri}/note.txt")
    return run.data.metrics == {"accuracy": 0.97} and text == "kept"


def docker(installation: Installation, *words: str) -> str:
    """Run docker against the engine that the installation uses."""
    return installation.acting().output("docker", *words)


def output(*argv: str) -> str:
    """Run a command on this machine."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
