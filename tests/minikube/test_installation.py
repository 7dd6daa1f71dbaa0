"""`make up` on Docker and minikube: what people see, what survives, what is left; the tests build on one another."""

import json
import os
import signal
from pathlib import Path

import mlflow
import pytest

from local.minikube.docker import FOLDER
from local.process import Daemon, wait_for
from tests.minikube import machine
from tests.minikube.conftest import INSTANCE, Installation, docker, kept


def daemon(name: str, folder: Path) -> Daemon:
    """Return a background program, to look at or to end."""
    return Daemon(name=name, argv=[], run_dir=folder, log_dir=folder)


def kill(name: str, folder: Path) -> None:
    """End a background program at once."""
    victim = daemon(name, folder)
    pid = victim.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not victim.running(), what=f"{name} to end", deadline=10)


def kill_node(installation: Installation) -> None:
    """End the first process of the node's container at once."""
    pid = int(docker(installation, "inspect", "--format", "{{.State.Pid}}", INSTANCE.profile))
    os.kill(pid, signal.SIGKILL)
    state = ("inspect", "--format", "{{.State.Running}}", INSTANCE.profile)
    wait_for(lambda: docker(installation, *state).strip() == "false", what="the node to end", deadline=20)


def test_a_run_is_tracked(run_id: str) -> None:
    assert kept(run_id)


def test_docker_and_minikube_show_the_cluster(installation: Installation) -> None:
    shown = installation.acting()

    assert INSTANCE.profile in shown.output("docker", "ps", "--format", "{{.Names}}").split()
    profiles = json.loads(shown.output("minikube", "profile", "list", "--output", "json"))
    assert [profile["Name"] for profile in profiles["valid"]] == [INSTANCE.profile]
    assert INSTANCE.node_address == shown.output("minikube", "ip").strip()
    assert shown.output("kubectl", "config", "current-context").strip() == INSTANCE.profile


def test_minikube_tells_the_address_of_the_server(installation: Installation, run_id: str) -> None:
    service = ("service", "mlflow-tracking-server", "--namespace", "mlflow", "--url")

    told = installation.acting().output("minikube", *service).strip()

    assert told == mlflow.get_tracking_uri()
    assert kept(run_id)


def test_the_metrics_of_the_pods_are_told(installation: Installation) -> None:
    acting = installation.acting()

    def told() -> bool:
        return acting.run("kubectl", "top", "pods", "--namespace", "mlflow").returncode == 0

    wait_for(told, what="metrics of the pods", deadline=150)  # minikube's addon measures each minute


def test_a_second_make_up_changes_nothing(installation: Installation) -> None:
    started = ("inspect", "--format", "{{.State.StartedAt}}", INSTANCE.profile)
    before = docker(installation, *started)

    assert installation.up() == mlflow.get_tracking_uri()

    assert docker(installation, *started) == before


def test_a_stop_keeps_what_is_stored(installation: Installation, run_id: str) -> None:
    installation.project.output("python3", "-m", "local", "stop")
    assert not any(line.startswith("process") for line in machine.trace(INSTANCE))

    installation.up()

    assert kept(run_id)


@pytest.mark.parametrize("victim", ["engine", "stand-in", "node"])
def test_make_up_mends_what_was_killed_and_no_run_is_lost(installation: Installation, run_id: str, victim: str) -> None:
    if victim == "engine":
        kill("docker", FOLDER / "run")
    elif victim == "stand-in":
        kill("gcp", INSTANCE.run_dir)
    else:
        kill_node(installation)

    installation.up()

    assert kept(run_id)


def test_make_down_leaves_nothing(installation: Installation) -> None:
    assert machine.trace(INSTANCE) != installation.before

    installation.project.output("make", "down")

    assert machine.trace(INSTANCE) == installation.before
