"""The measured installation: an instance of its own, made from a copy of the project and removed in any case."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.errors import UserError
from local.instance import NAME_VARIABLE, Instance
from local.ownership import owner
from local.process import wait_for
from tests.scratch import Scratch

INSTANCE = Instance("bench")
NAMESPACE = "mlflow"
PODS = "app=mlflow-tracking-server-pods"


@dataclass(frozen=True)
class Installation:
    """A running installation.

    Attributes:
        project: the copy of the project, with the environment that `python -m local env` prints.
        tracking_uri: where its server answers.
        folder: for files of a measure; gone when the measurements are.

    """

    project: Scratch
    tracking_uri: str
    folder: Path

    def kubectl(self, *words: str) -> str:
        """Run kubectl in the namespace of the server."""
        return self.project.output("kubectl", "--namespace", NAMESPACE, *words)

    def set_workers(self, number: int) -> None:
        """Give the server that many processes, and wait until the pod of before is gone."""
        self.project.output("pulumi", "config", "set", "--stack", "local", "mlflow:workers", str(number))
        self.project.output("pulumi", "up", "--yes", "--skip-preview", "--stack", "local")
        wait_for(lambda: len(self.pods()) == 1, what="the pod of before to end", deadline=120)

    def pods(self) -> list[str]:
        """Return the names of the server's pods, those that are ending as well."""
        return self.kubectl("get", "pods", "--selector", PODS, "--output", "name").split()


@contextmanager
def copy() -> Generator[Scratch]:
    """Yield a copy of the project whose instance is removed before and after."""
    with tempfile.TemporaryDirectory(prefix="mlflow-bench-") as folder:
        project = Scratch.create(Path(folder) / "project", {NAME_VARIABLE: INSTANCE.name})
        left_by = owner(INSTANCE)
        make(Scratch(left_by if left_by and left_by.exists() else project.folder, project.env), "down")
        try:
            yield project
        finally:
            make(project, "down")


def make(project: Scratch, target: str) -> None:
    """Run `make` with its output on standard error, for people to follow.

    Raises:
        UserError: it failed.

    """
    done = subprocess.run(["make", target], check=False, cwd=project.folder, env=project.env, stdout=sys.stderr)
    if done.returncode != 0:
        raise UserError(f"`make {target}` ended with status {done.returncode}; its own words stand above")


def running(project: Scratch) -> Installation:
    """Return the installation that `make up` started in the copy."""
    acting = project.acting()
    outputs = json.loads(acting.output("pulumi", "stack", "output", "--json", "--stack", "local"))
    return Installation(acting, outputs["tracking_uri"], project.folder.parent)


def timed_first_run(project: Scratch) -> tuple[float, float]:
    """Return the seconds of `make up`, and of the MLflow client that logs a first run after it, imports included."""
    client = "import mlflow\nwith mlflow.start_run(): mlflow.log_metric('first', 1)"
    started = time.monotonic()
    make(project, "up")
    answering = time.monotonic()
    installation = running(project)
    env = {**project.env, "MLFLOW_TRACKING_URI": installation.tracking_uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    asking = time.monotonic()
    subprocess.run([sys.executable, "-c", client], check=True, cwd=installation.folder, env=env, stdout=sys.stderr)
    return answering - started, time.monotonic() - asking
