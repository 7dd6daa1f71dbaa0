"""A team's stack goes, on purpose, and what it held lives on: in another stack, in another release and back.

These tests come last, since the first thing that they do is to take the stack down.
"""

import hashlib
import json
import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from google.cloud import storage
from google.cloud.storage.fileio import BlobReader
from mlflow.entities import ViewType

from local.image import build, mlflow_version
from local.minikube import cluster
from tests.large import MIB
from tests.production.client import Client
from tests.production.load import constant_load, lost
from tests.production.rehearsal import HOST, PROJECT_ID, STACK, Rehearsal
from tests.production.stacks import following, operate, take_down
from tests.scratch import PROJECT, Scratch
from tests.wine import tracked_run

CLIENT_SECONDS = 150
"""How long clients may be asked to come again; MLflow's own does so for 210 seconds."""
PREVIOUS_LOCK = PROJECT / "tests/image/previous-release/requirements.txt"


@dataclass(frozen=True)
class Contents:
    """Everything that a team has in a server.

    Attributes:
        runs: as the API tells them, by id.
        versions: of registered models, as the API tells them.
        objects: SHA-256 of the artifacts, by their names in the bucket.

    """

    runs: Mapping[str, Any]
    versions: Mapping[str, Any]
    objects: Mapping[str, str]


def contents(bucket: str) -> Contents:
    """Return everything that the server in use holds."""
    client = mlflow.MlflowClient()
    experiments = [each.experiment_id for each in client.search_experiments(view_type=ViewType.ALL)]
    runs = client.search_runs(experiments, run_view_type=ViewType.ALL, max_results=50_000)
    versions = client.search_model_versions()
    return Contents(
        {run.info.run_id: run.to_dictionary() for run in runs},
        {f"{each.name}/{each.version}": dict(each) for each in versions},
        objects(bucket),
    )


def objects(bucket: str) -> dict[str, str]:
    """Return the SHA-256 of everything that is in a bucket, by name; one of them has 5 GiB."""
    with storage.Client(project=PROJECT_ID) as client:
        return {blob.name: digest(blob) for blob in client.list_blobs(bucket)}


def digest(blob: storage.Blob) -> str:
    """Read an object and return its SHA-256."""
    with BlobReader(blob, chunk_size=16 * MIB) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def deployed(project: Scratch, stack: str) -> bool:
    """Tell whether a stack has anything."""
    return bool(json.loads(project.output("pulumi", "stack", "output", "--json", "--stack", stack)))


def admit(project: Scratch, stack: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let clients log in to a stack and return the password."""
    words = ("pulumi", "stack", "output", "admin_password", "--show-secrets", "--stack", stack)
    password = project.output(*words).strip()
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    return password


def create_user(client: Client) -> None:
    """Make a user of MLflow's own."""
    with closing(client):
        client.ask("POST", "users/create", {"username": "somebody", "password": "a password of 12"})


def test_a_stack_is_taken_down_on_purpose_only_and_comes_back_elsewhere_byte_for_byte(
    rehearsal: Rehearsal, authority: Path, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = rehearsal.project
    tracked_run()
    with mlflow.start_run():
        mlflow.log_text("", "nothing.txt")
        mlflow.log_text("ü" * 100_000, "a folder/with spaces & ümlauts.txt")
    with mlflow.start_span("a span"):
        pass
    mlflow.flush_trace_async_logging()
    create_user(Client(authority, password))
    held = contents("team-project-mlflow-artefacts")
    backup = operate(project, "backup").splitlines()[0]

    refused = project.run("pulumi", "destroy", "--yes", "--stack", STACK)
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stdout + refused.stderr
    assert "remove the `protect` flag" in refused.stdout + refused.stderr
    assert contents("team-project-mlflow-artefacts") == held

    take_down(project, STACK)
    assert objects("team-project-mlflow-artefacts") == held.objects
    assert f"{backup.rpartition('/')[2]}/manifest.json" in objects("team-project-mlflow-artefacts-backups")

    with following(project, "second", {}):
        printed = operate(project, "restore", backup, stack="second")
        admit(project, "second", monkeypatch)
        assert contents("team-project-second") == held
        assert "the database of before is backup " in printed
        assert f"restored and checked: {len(held.runs)} runs, {len(held.objects)} objects" in printed
        assert "no difference" in operate(project, "drift", stack="second")

        again = project.run(".venv/bin/python", "-m", "operations", "restore", backup, "--stack", "second")
        assert again.returncode == 2
        assert f"holds {len(held.runs)} runs" in again.stderr
        many = "[1-9][0-9]*"
        assert re.search(
            rf"{many} logged models and {many} traces and 1 users and .* in gs://team-project-second", again.stderr
        )
        assert "add --overwrite" in again.stderr


@pytest.fixture
def vacant(rehearsal: Rehearsal) -> Scratch:
    """The copy of the project, with no stack where the next one goes."""
    if deployed(rehearsal.project, STACK):
        take_down(rehearsal.project, STACK)
    return rehearsal.project


def test_a_release_is_taken_without_a_lost_request_and_given_back_with_what_is_said_to_be_lost(
    vacant: Scratch, rehearsal: Rehearsal, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    previous, current = build(PREVIOUS_LOCK), build()
    cluster.load(rehearsal.instance, previous.tag, previous.tar)
    before, after = rehearsal.by_digest(previous.tag), rehearsal.by_digest(current.tag)

    with following(vacant, "release", {"mlflow:image": before}):
        password = admit(vacant, "release", monkeypatch)
        assert version(authority, password) == mlflow_version(PREVIOUS_LOCK)

        with closing(Client(authority, password)) as client:
            known = client.track()
        with constant_load(authority, password) as load:
            printed = operate(vacant, "upgrade", after, stack="release")
        assert load.failures == []
        assert load.outage < CLIENT_SECONDS, load.refused
        assert lost(load, authority, password) == []
        assert version(authority, password) == mlflow_version()

        back = re.search(r"python -m operations downgrade (\S+) --backup (\S+) --stack release", printed)
        assert back is not None, printed
        with closing(Client(authority, password)) as client:
            later = client.track()
        told = operate(vacant, "downgrade", back[1], "--backup", back[2], "--yes", stack="release")
        assert version(authority, password) == mlflow_version(PREVIOUS_LOCK)
        with closing(Client(authority, password)) as client:
            assert client.has(known)
            with pytest.raises(ConnectionError, match=f"Run with id={later} not found"):
                client.has(later)
        assert "the database of before is backup " in told
        assert re.search(r"lost: everything that was logged or changed since \S+; [1-9][0-9]* runs were begun", told)


def version(authority: Path, password: str) -> str:
    """Return the release of MLflow that answers."""
    context = ssl.create_default_context(cafile=authority)
    return httpx.get(f"https://{HOST}/version", verify=context, auth=("admin", password)).raise_for_status().text
