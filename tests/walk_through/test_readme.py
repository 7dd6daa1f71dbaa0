"""Every command of the README's way to minikube and Google Cloud works, up to the clean-up, and leaves nothing."""

import json
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import httpx
import mlflow
from mlflow.artifacts import load_text

from local.command import run
from local.gcp import endpoints
from local.packages import SYSTEM_FOLDERS
from tests.gcp.standin import StandIn, started
from tests.in_docker import in_docker
from tests.walk_through.conftest import Terminal
from tests.walk_through.page import CLEAN_UP, WAY, blocks

PROJECT_ID = "my-project"
NODE, GATEWAY = "192.168.49.2", "192.168.49.1"  # of the first cluster that minikube makes
PORT = 14255
SQL_ADDRESSES = "10.89.255.128/25"  # of no instance
PLACEHOLDERS = {
    "project id": PROJECT_ID,
    "a passphrase of your own": "correct-horse",
    "your public address": NODE,  # from there pods come to a database on this machine
}
NOT_HERE = ("gcloud ", "minikube image build ")
"""Begins what can't be typed here: Google's accounts are not here, and a node of Debian's packages has no BuildKit."""


def test_every_command_works_and_leaves_nothing(terminal: Terminal) -> None:
    before = in_docker(terminal.project)
    with ExitStack() as cloud:
        standin: StandIn | None = None
        for commands in (*blocks(WAY, PLACEHOLDERS), *blocks(CLEAN_UP, PLACEHOLDERS)):
            if commands.startswith(NOT_HERE):
                continue
            if commands.startswith("pulumi destroy"):
                track(f"http://{NODE}:30001")
            printed, terminal = terminal.type(commands)
            if commands.startswith("minikube start"):
                standin = cloud.enter_context(google(terminal))
            elif commands.startswith("pulumi config set gcp:project"):
                terminal = at_the_stand_in(terminal)
            elif commands.startswith("minikube service"):
                assert httpx.get(f"{printed.strip()}/health").text == "OK"

        assert in_docker(terminal.project) == before
        assert standin is not None
        assert left(standin) == []


def left(standin: StandIn) -> list[str]:
    """Return what the stand-in still has: Cloud SQL instances, buckets, service accounts."""
    paths = {
        f"/sql/v1beta4/projects/{PROJECT_ID}/instances": "items",
        f"/storage/v1/b?project={PROJECT_ID}": "items",
        f"/iam/v1/projects/{PROJECT_ID}/serviceAccounts": "accounts",
    }
    answers = [(standin.http.get(path).raise_for_status().json(), kind) for path, kind in paths.items()]
    return [thing["name"] for answer, kind in answers for thing in answer.get(kind, [])]


@contextmanager
def google(terminal: Terminal) -> Generator[StandIn]:
    """Put the stand-in where pods find it, and its databases behind the network of the node."""
    [network] = json.loads(terminal.type("docker network inspect minikube")[0])
    route = ["ip", "route", "replace", "local", SQL_ADDRESSES, "dev", f"br-{network['Id'][:12]}"]
    run(route, env={"PATH": SYSTEM_FOLDERS})  # it goes with the network
    with started(SQL_ADDRESSES, "--listen", f"{GATEWAY}:{PORT}") as standin:
        yield standin


def at_the_stand_in(terminal: Terminal) -> Terminal:
    """Set Google's endpoints: the only settings that the page does not name."""
    settings = {**endpoints(f"http://{GATEWAY}:{PORT}"), "accessToken": "stand-in"}
    return terminal.type("\n".join(f"pulumi config set gcp:{name} {value}" for name, value in settings.items()))[1]


def track(uri: str) -> None:
    """Log a run and find it again."""
    mlflow.set_tracking_uri(uri)
    with mlflow.start_run(experiment_id="0") as logged:  # tests before may have chosen another for this process
        mlflow.log_metric("accuracy", 0.97)
        mlflow.log_text("kept", "note.txt")
    assert mlflow.get_run(logged.info.run_id).data.metrics == {"accuracy": 0.97}
    assert load_text(f"{logged.info.artifact_uri}/note.txt") == "kept"
