"""`mlflow gc` in the image removes what was deleted: its rows, and its files in the bucket."""

import secrets
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.gcp.standin import PROJECT, StandIn
from tests.image.container import Unpacked, attempt, call, serving
from tests.image.database import Database, Instance

BACKEND = "postgresql+psycopg://"
BUCKET = "collected"
COMMAND = ["mlflow", "gc", "--backend-store-uri", BACKEND, "--older-than"]
ADMIN = ("admin", "a password for this test only")
CONFIGURATION = f"""\
[mlflow]
default_permission = READ
database_uri = {BACKEND}
admin_username = {ADMIN[0]}
auth_cache_ttl_seconds = 60
"""


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """A server, and what its garbage collection is told besides the password."""

    client: httpx.Client
    environment: list[str]
    database: Database
    bucket: StandIn

    def run(self) -> str:
        """Make a run with a file in the bucket."""
        run = self.post("create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        blob = self.bucket.storage().bucket(BUCKET).blob(f"0/{run}/artifacts/model/weights")
        blob.upload_from_string(secrets.token_bytes(64))
        return run

    def deleted_run(self) -> str:
        """Make a run as well, and delete it."""
        run = self.run()
        self.post("delete", {"run_id": run})
        return run

    def post(self, method: str, body: dict[str, str]) -> dict[str, dict[str, dict[str, str]]]:
        """Call the server about runs."""
        return self.client.post(f"/api/2.0/mlflow/runs/{method}", json=body).raise_for_status().json()

    def keeps(self, run: str) -> tuple[bool, bool]:
        """Tell whether a run's row is there, and whether its file is."""
        files = " ".join(str(blob.name) for blob in self.bucket.storage().list_blobs(BUCKET))
        return (run,) in self.database.ask("SELECT run_uuid FROM runs"), run in files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collection")


@pytest.fixture(scope="module")
def database(image: Unpacked, folder: Path, instance: Instance) -> Database:
    database = instance.database()
    call(image, folder, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, folder, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    return database


@pytest.fixture(scope="module")
def environment(database: Database, standin: StandIn) -> list[str]:
    standin.storage().create_bucket(BUCKET)
    return [*database.for_server(), f"STORAGE_EMULATOR_HOST={standin.url}", f"GOOGLE_CLOUD_PROJECT={PROJECT}"]


@pytest.fixture(scope="module")
def proxied(
    image: Unpacked, folder: Path, environment: list[str], database: Database, standin: StandIn
) -> Generator[Tracking]:
    shared = folder / "shared"
    shared.mkdir()
    (shared / "basic_auth.ini").write_text(CONFIGURATION)
    users = [
        "MLFLOW_AUTH_CONFIG_PATH=/shared/basic_auth.ini",
        f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN[1]}",
        "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only",
    ]
    options = ["--backend-store-uri", BACKEND, "--artifacts-destination", f"gs://{BUCKET}", "--app-name", "basic-auth"]
    with serving(image, folder, options, [*environment, *users], shared=shared) as client:
        client.auth = ADMIN
        told = [*environment, f"MLFLOW_TRACKING_URI={client.base_url}"]
        yield Tracking(client=client, environment=told, database=database, bucket=standin)


def _login(password: str) -> list[str]:
    return [f"MLFLOW_TRACKING_USERNAME={ADMIN[0]}", f"MLFLOW_TRACKING_PASSWORD={password}"]


def test_a_deleted_run_goes_with_its_files_through_the_server(
    image: Unpacked, tmp_path: Path, proxied: Tracking
) -> None:
    deleted, kept = proxied.deleted_run(), proxied.run()

    call(image, tmp_path, [*COMMAND, "0s"], [*proxied.environment, *_login(ADMIN[1])])

    assert proxied.keeps(deleted) == (False, False)
    assert proxied.keeps(kept) == (True, True)


def test_a_run_that_was_deleted_lately_stays(image: Unpacked, tmp_path: Path, proxied: Tracking) -> None:
    deleted = proxied.deleted_run()

    call(image, tmp_path, [*COMMAND, "30d"], [*proxied.environment, *_login(ADMIN[1])])

    assert proxied.keeps(deleted) == (True, True)


def test_a_row_stays_as_long_as_its_files_cannot_be_removed(image: Unpacked, tmp_path: Path, proxied: Tracking) -> None:
    deleted = proxied.deleted_run()

    done = attempt(image, tmp_path, [*COMMAND, "0s"], [*proxied.environment, *_login("wrong password")])

    assert done.returncode != 0
    assert "401" in done.stderr
    assert proxied.keeps(deleted) == (True, True)


def test_a_deleted_run_goes_with_its_files_without_the_server(
    image: Unpacked, tmp_path: Path, instance: Instance, environment: list[str], standin: StandIn
) -> None:
    database = instance.database()
    call(image, tmp_path, ["mlflow-database-account", "prepare"], database.for_administrator())
    own = [*environment, *database.for_server()]
    call(image, tmp_path, ["mlflow", "db", "upgrade", BACKEND], own)
    options = ["--backend-store-uri", BACKEND, "--no-serve-artifacts", "--default-artifact-root", f"gs://{BUCKET}"]
    with serving(image, tmp_path, options, own) as client:
        tracking = Tracking(client=client, environment=own, database=database, bucket=standin)
        deleted, kept = tracking.deleted_run(), tracking.run()
        call(image, tmp_path / "gc", [*COMMAND, "0s"], [*own, f"MLFLOW_TRACKING_URI={client.base_url}"])

        assert tracking.keeps(deleted) == (False, False)
        assert tracking.keeps(kept) == (True, True)
