"""Docker and minikube below the stack: what people see of them, and what survives; these tests come late."""

import json
import os
import signal
from pathlib import Path

import mlflow
import pytest
from mlflow.artifacts import load_text

from local.instance import Instance
from local.minikube.docker import FOLDER
from local.process import Daemon, wait_for
from tests.e2e import machine
from tests.e2e.conftest import INSTANCE, Stack

MINE = Instance(INSTANCE)


@pytest.fixture(scope="module")
def run_id(stack: Stack) -> str:
    """A run with a metric and an artifact."""
    mlflow.set_tracking_uri(stack.tracking_uri)
    with mlflow.start_run() as run:
        mlflow.log_metric("accuracy", 0.97)
        mlflow.log_text("kept", "note.txt")
    return run.info.run_id


def kept(run_id: str) -> bool:
    """Tell whether the run is there with all that was logged."""
    run = mlflow.get_run(run_id)
    return run.data.metrics == {"accuracy": 0.97} and load_text(f"{run.info.artifact_uri}/note.txt") == "kept"


def inspect(stack: Stack, what: str) -> str:
    """Return what Docker tells of the node's container."""
    return stack.project.output("docker", "inspect", "--format", f"{{{{{what}}}}}", MINE.profile).strip()


def kill(name: str, folder: Path) -> None:
    """End a background program at once."""
    victim = Daemon(name=name, argv=[], run_dir=folder, log_dir=folder)
    pid = victim.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not victim.running(), what=f"{name} to end", deadline=10)


def kill_node(stack: Stack) -> None:
    """End the first process of the node's container at once."""
    os.kill(int(inspect(stack, ".State.Pid")), signal.SIGKILL)
    wait_for(lambda: inspect(stack, ".State.Running") == "false", what="the node to end", deadline=20)


def test_docker_and_minikube_show_the_cluster(stack: Stack) -> None:
    profiles = json.loads(stack.project.output("minikube", "profile", "list", "--output", "json"))

    assert MINE.profile in stack.project.output("docker", "ps", "--format", "{{.Names}}").split()
    assert [profile["Name"] for profile in profiles["valid"]] == [MINE.profile]
    assert stack.project.output("minikube", "ip").strip() == MINE.node_address
    assert stack.project.output("kubectl", "config", "current-context").strip() == MINE.profile


def test_minikube_tells_the_address_of_the_server(stack: Stack) -> None:
    service = ("service", "mlflow-tracking-server", "--namespace", "mlflow", "--url")

    assert stack.project.output("minikube", *service).strip() == stack.tracking_uri


def test_the_load_of_pods_is_told(stack: Stack) -> None:
    def told() -> bool:
        return stack.project.run("kubectl", "top", "pods", "--namespace", "mlflow").returncode == 0

    wait_for(told, what="the load of the pods", deadline=150)  # minikube's addon measures once a minute


def test_another_make_up_leaves_the_node_alone(stack: Stack) -> None:
    before = inspect(stack, ".State.StartedAt")

    stack.project.output("make", "up")

    assert inspect(stack, ".State.StartedAt") == before


def test_a_stop_ends_every_process_and_keeps_what_is_stored(stack: Stack, run_id: str) -> None:
    stack.project.output("python3", "-m", "local", "stop")
    assert not [line for line in machine.trace(MINE) if line.startswith(("process", "mount", "control"))]

    stack.project.output("make", "up")

    assert kept(run_id)


@pytest.mark.parametrize("victim", ["engine", "stand-in", "node"])
def test_make_up_mends_what_was_killed_and_no_run_is_lost(stack: Stack, run_id: str, victim: str) -> None:
    if victim == "engine" and not FOLDER.exists():
        pytest.skip("Docker is the machine's own here, and not for a test to end")
    if victim == "engine":
        kill("docker", FOLDER / "run")
    elif victim == "stand-in":
        kill("gcp", MINE.run_dir)
    else:
        kill_node(stack)

    stack.project.output("make", "up")

    assert kept(run_id)
