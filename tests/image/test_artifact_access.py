"""Another way to the artifacts counts for new experiments; those of existing ones are reached as before."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from tests.gcp.standin import PROJECT, StandIn
from tests.image.container import Unpacked, call, serving
from tests.image.database import Database

BACKEND = "postgresql+psycopg://"
BUCKET = "of-both-ways"
PROXIED = ["--backend-store-uri", BACKEND, "--artifacts-destination", f"gs://{BUCKET}"]
DIRECT = [*PROXIED, "--default-artifact-root", f"gs://{BUCKET}"]


@pytest.fixture
def environment(image: Unpacked, tmp_path: Path, standin: StandIn, database: Database) -> list[str]:
    """What a server is told, whose database is ready."""
    call(image, tmp_path, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, tmp_path, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    standin.storage().create_bucket(BUCKET)
    return [*database.for_server(), f"STORAGE_EMULATOR_HOST={standin.url}", f"GOOGLE_CLOUD_PROJECT={PROJECT}"]


def new_run(client: httpx.Client, experiment: str) -> tuple[str, str]:
    """Make an experiment with a run; return the run's id and the address of its artifacts."""
    made = client.post("/api/2.0/mlflow/experiments/create", json={"name": experiment}).raise_for_status().json()
    body = {"experiment_id": made["experiment_id"]}
    info = client.post("/api/2.0/mlflow/runs/create", json=body).raise_for_status().json()["run"]["info"]
    return info["run_id"], info["artifact_uri"]


def send(client: httpx.Client, address: str, name: str) -> None:
    """Upload an artifact through the server, as clients do for an address of that kind."""
    path = address.removeprefix("mlflow-artifacts:/")
    client.put(f"/api/2.0/mlflow-artifacts/artifacts/{path}/{name}", content=name.encode()).raise_for_status()


def shown(client: httpx.Client, run: str, name: str) -> str:
    """Return an artifact as the UI gets it, having listed it."""
    listed = client.get("/api/2.0/mlflow/artifacts/list", params={"run_id": run}).raise_for_status().json()
    assert name in [each["path"] for each in listed["files"]]
    return client.get("/get-artifact", params={"run_uuid": run, "path": name}).raise_for_status().text


def test_experiments_keep_their_way_to_the_artifacts_where_another_is_set(
    image: Unpacked, tmp_path: Path, environment: list[str], standin: StandIn
) -> None:
    def started(options: Sequence[str]) -> AbstractContextManager[httpx.Client]:
        return serving(image, tmp_path, options, environment)

    with started(PROXIED) as server:
        through_server, address = new_run(server, "through the server")
        assert address.startswith("mlflow-artifacts:/")
        send(server, address, "before.txt")

    with started(DIRECT) as server:
        send(server, address, "after.txt")
        assert shown(server, through_server, "before.txt") == "before.txt"
        assert shown(server, through_server, "after.txt") == "after.txt"
        itself, place = new_run(server, "in the bucket")
        assert place.startswith(f"gs://{BUCKET}/")
        name = place.removeprefix(f"gs://{BUCKET}/")
        standin.storage().bucket(BUCKET).blob(f"{name}/own.txt").upload_from_string("own.txt")

    with started(PROXIED) as server:
        assert shown(server, through_server, "after.txt") == "after.txt"
        assert shown(server, itself, "own.txt") == "own.txt"
