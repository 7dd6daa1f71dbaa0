"""`mlflow gc` in the image removes what was deleted: its rows, and its files in the bucket."""

import secrets
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.gcp.standin import PROJECT, StandIn
from tests.image.container import Unpacked, attempt, call, serving
from tests.image.database import Database

BACKEND = "postgresql+psycopg://"
BUCKET = "collected"
COMMAND = ["mlflow", "gc", "--backend-store-uri", BACKEND, "--older-than"]
ADMIN = ("admin", "a password for this test only")


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """A server with one deleted run and one that is kept, and what its garbage collection is told."""

    environment: list[str]
    deleted: str
    kept: str


@pytest.fixture
def bucket(standin: StandIn) -> StandIn:
    if all(bucket.name != BUCKET for bucket in standin.storage().list_buckets()):
        standin.storage().create_bucket(BUCKET)
    return standin


@pytest.fixture
def environment(image: Unpacked, tmp_path: Path, database: Database, bucket: StandIn) -> list[str]:
    call(image, tmp_path, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, tmp_path, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    return [*database.for_server(), f"STORAGE_EMULATOR_HOST={bucket.url}", f"GOOGLE_CLOUD_PROJECT={PROJECT}"]


@pytest.fixture
def proxied(image: Unpacked, tmp_path: Path, environment: list[str]) -> Generator[Tracking]:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/basic_auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = {BACKEND}\nadmin_username = {ADMIN[0]}\n"
    )
    users = [
        "MLFLOW_AUTH_CONFIG_PATH=/shared/basic_auth.ini",
        f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN[1]}",
        "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only",
    ]
    options = [
        *("--backend-store-uri", BACKEND),
        *("--artifacts-destination", f"gs://{BUCKET}"),
        *("--app-name", "basic-auth"),
    ]
    with serving(image, tmp_path, options, [*environment, *users], shared=tmp_path / "shared") as client:
        client.auth = ADMIN
        deleted, kept = (_run(client) for _ in range(2))
        for run in (deleted, kept):
            path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/weights"
            client.put(path, content=secrets.token_bytes(64)).raise_for_status()
        _post(client, "delete", {"run_id": deleted})
        told = [*environment, f"MLFLOW_TRACKING_URI={client.base_url}"]
        yield Tracking(environment=told, deleted=deleted, kept=kept)


def _run(client: httpx.Client) -> str:
    return _post(client, "create", {"experiment_id": "0"})["run"]["info"]["run_id"]


def _post(client: httpx.Client, method: str, body: dict[str, str]) -> dict[str, dict[str, dict[str, str]]]:
    return client.post(f"/api/2.0/mlflow/runs/{method}", json=body).raise_for_status().json()


def _files(standin: StandIn) -> str:
    return " ".join(str(blob.name) for blob in standin.storage().list_blobs(BUCKET))


def _runs(database: Database) -> set[object]:
    return {run for (run,) in database.ask("SELECT run_uuid FROM runs")}


def _login(password: str) -> list[str]:
    return [f"MLFLOW_TRACKING_USERNAME={ADMIN[0]}", f"MLFLOW_TRACKING_PASSWORD={password}"]


def test_a_deleted_run_goes_with_its_files_through_the_server(
    image: Unpacked, tmp_path: Path, proxied: Tracking, database: Database, bucket: StandIn
) -> None:
    call(image, tmp_path / "gc", [*COMMAND, "0s"], [*proxied.environment, *_login(ADMIN[1])])

    assert _runs(database) == {proxied.kept}
    assert proxied.deleted not in _files(bucket)
    assert proxied.kept in _files(bucket)


def test_a_run_that_was_deleted_lately_stays(
    image: Unpacked, tmp_path: Path, proxied: Tracking, database: Database, bucket: StandIn
) -> None:
    call(image, tmp_path / "gc", [*COMMAND, "30d"], [*proxied.environment, *_login(ADMIN[1])])

    assert _runs(database) == {proxied.kept, proxied.deleted}
    assert proxied.deleted in _files(bucket)


def test_rows_stay_as_long_as_their_files_cannot_be_removed(
    image: Unpacked, tmp_path: Path, proxied: Tracking, database: Database
) -> None:
    done = attempt(image, tmp_path / "gc", [*COMMAND, "0s"], [*proxied.environment, *_login("wrong password")])

    assert done.returncode != 0
    assert "401" in done.stderr
    assert proxied.deleted in _runs(database)


def test_a_deleted_run_goes_with_its_files_without_the_server(
    image: Unpacked, tmp_path: Path, environment: list[str], database: Database, bucket: StandIn
) -> None:
    options = ["--backend-store-uri", BACKEND, "--no-serve-artifacts", "--default-artifact-root", f"gs://{BUCKET}"]
    with serving(image, tmp_path, options, environment) as client:
        run = _run(client)
        blob = bucket.storage().bucket(BUCKET).blob(f"0/{run}/artifacts/model/weights")
        blob.upload_from_string(secrets.token_bytes(64))
        _post(client, "delete", {"run_id": run})
        told = [*environment, f"MLFLOW_TRACKING_URI={client.base_url}"]
        call(image, tmp_path / "gc", [*COMMAND, "0s"], told)

    assert _runs(database) == set()
    assert run not in _files(bucket)
