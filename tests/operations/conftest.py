"""A stand-in, and what a deployed stack has there: an instance with a database, a bucket, and one for backups."""

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from google.cloud import storage

from operations.instance import Instance
from operations.stack import Stack
from tests.gcp.standin import PROJECT, Json, StandIn, query, started

ARTIFACTS = {"0/run/artifacts/model.pkl": b"\0weights", "0/run/artifacts/a b/ü.txt": b"", "top": b"x" * 100_000}


class Deployed(Stack):
    """A stack that says of itself what the engine would."""

    def token(self) -> str | None:
        """Return what the stand-in takes for a token: anything."""
        return "stand-in"


def deployed(standin: StandIn, **changes: str) -> Stack:
    """Return a stack whose endpoints are the stand-in's, with other settings on top."""
    settings = {
        "gcp:project": PROJECT,
        "gcp:sqlCustomEndpoint": f"{standin.url}/sql/v1beta4/",
        "gcp:storageCustomEndpoint": f"{standin.url}/storage/v1/",
        "mlflow:artifactAccess": "proxied",
        "mlflow:databaseUser": "mlflow",
        "mlflow:image": "registry/mlflow:1",
        "mlflow:maxReplicas": "0",
        "mlflow:replicas": "2",
    }
    outputs = {
        "artifact_root": "gs://kept-artifacts",
        "backup_root": "gs://kept-backups",
        "database_instance": "kept",
        "namespace": "mlflow",
    }
    return Deployed(name="prod", settings={**settings, **changes}, outputs=outputs)


Program = Callable[[str, str], Path]
"""Puts a shell script on PATH under a name; returns the file with what it was asked, a line each."""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return the function that stands in for `pulumi` or `kubectl`."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def put(name: str, script: str) -> Path:
        asked, file = tmp_path / f"{name}.asked", tmp_path / name
        file.write_text(f'#!/bin/sh\necho "$*" >> {asked}\n{script}\n')
        file.chmod(0o755)
        return asked

    return put


@pytest.fixture(scope="session")
def standin() -> Generator[StandIn]:
    """The stand-in."""
    with started("127.77.1.0/25") as standin:
        yield standin


@pytest.fixture(scope="session")
def database(standin: StandIn) -> Json:
    """The instance, with 1000 runs in its database."""
    instance = standin.create("kept", backupConfiguration={"enabled": True})
    standin.done(standin.sql("POST", "instances/kept/databases", {"name": "mlflow"}))
    # As the server's account makes them.
    query(instance, "CREATE ROLE mlflow; GRANT mlflow TO postgres, cloudsqlsuperuser")
    query(instance, "GRANT ALL ON SCHEMA public TO mlflow", dbname="mlflow")
    query(
        instance,
        "SET ROLE mlflow; CREATE TABLE runs (id serial PRIMARY KEY, note text);"
        r" INSERT INTO runs (note) SELECT E'two\nlines \\. ' || n FROM generate_series(1, 1000) n",
        dbname="mlflow",
    )
    return instance


@pytest.fixture(scope="session")
def buckets(standin: StandIn, database: Json) -> Generator[tuple[storage.Bucket, storage.Bucket]]:
    """The bucket of the artifacts and the one of the backups, which the instance may write to."""
    with standin.storage() as client:
        artifacts, backups = client.create_bucket("kept-artifacts"), client.create_bucket("kept-backups")
        for name, content in ARTIFACTS.items():
            artifacts.blob(name).upload_from_string(content)
        member = f"serviceAccount:{database['serviceAccountEmailAddress']}"
        policy = {"bindings": [{"role": "roles/storage.objectAdmin", "members": [member]}]}
        standin.http.put("/storage/v1/b/kept-backups/iam", json=policy).raise_for_status()
        yield artifacts, backups


@pytest.fixture(scope="session")
def stack(standin: StandIn, buckets: tuple[storage.Bucket, storage.Bucket]) -> Stack:  # noqa: ARG001 - it has them
    """The stack."""
    return deployed(standin)


@pytest.fixture
def instance(stack: Stack) -> Generator[Instance]:
    """The stack's instance, as operations see it."""
    with Instance(stack) as instance:
        yield instance
