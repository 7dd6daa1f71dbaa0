"""`mlflow-collect-garbage` removes what was deleted, its rows and its files; what it cannot remove it names."""

import secrets
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.gcp.standin import PROJECT, StandIn
from tests.image import users
from tests.image.container import Unpacked, attempt, call, serving
from tests.image.database import Database, Instance

BACKEND = "postgresql+psycopg2://"
BUCKET = "collected"
COMMAND = ["mlflow-collect-garbage", "--backend-store-uri", BACKEND, "--older-than"]


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """A server, and what its garbage collection is told besides the password."""

    client: httpx.Client
    environment: list[str]
    database: Database
    bucket: StandIn

    def run(self, experiment: str = "0") -> str:
        """Make a run with a file in the bucket."""
        run = self.post("create", {"experiment_id": experiment})["run"]["info"]["run_id"]
        blob = self.bucket.storage().bucket(BUCKET).blob(f"{experiment}/{run}/artifacts/model/weights")
        blob.upload_from_string(secrets.token_bytes(64))
        return run

    def deleted_run(self, experiment: str = "0") -> str:
        """Make a run as well, and delete it."""
        run = self.run(experiment)
        self.post("delete", {"run_id": run})
        return run

    def post(self, method: str, body: dict[str, str]) -> dict[str, dict[str, dict[str, str]]]:
        """Call the server about runs."""
        return self.client.post(f"/api/2.0/mlflow/runs/{method}", json=body).raise_for_status().json()

    def experiment(self, **place: str) -> str:
        """Make an experiment."""
        body = {"name": secrets.token_hex(8), **place}
        return (
            self.client.post("/api/2.0/mlflow/experiments/create", json=body).raise_for_status().json()["experiment_id"]
        )

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
    told = [*environment, *users.configure(shared)]
    users.prepare(image, folder, told, shared)
    options = ["--backend-store-uri", BACKEND, "--artifacts-destination", f"gs://{BUCKET}", *users.APP]
    with serving(image, folder, options, told, shared=shared) as client:
        client.auth = users.ADMIN
        told = [*environment, f"MLFLOW_TRACKING_URI={client.base_url}"]
        yield Tracking(client=client, environment=told, database=database, bucket=standin)


def _login(password: str) -> list[str]:
    return [f"MLFLOW_TRACKING_USERNAME={users.ADMIN[0]}", f"MLFLOW_TRACKING_PASSWORD={password}"]


def test_a_deleted_run_goes_with_its_files_through_the_server(
    image: Unpacked, tmp_path: Path, proxied: Tracking
) -> None:
    deleted, kept = proxied.deleted_run(), proxied.run()

    call(image, tmp_path, [*COMMAND, "0s"], [*proxied.environment, *_login(users.ADMIN[1])])

    assert proxied.keeps(deleted) == (False, False)
    assert proxied.keeps(kept) == (True, True)


def test_a_run_that_was_deleted_lately_stays(image: Unpacked, tmp_path: Path, proxied: Tracking) -> None:
    deleted = proxied.deleted_run()

    call(image, tmp_path, [*COMMAND, "30d"], [*proxied.environment, *_login(users.ADMIN[1])])

    assert proxied.keeps(deleted) == (True, True)


def test_a_row_stays_as_long_as_its_files_cannot_be_removed(image: Unpacked, tmp_path: Path, proxied: Tracking) -> None:
    deleted = proxied.deleted_run()

    done = attempt(image, tmp_path, [*COMMAND, "0s"], [*proxied.environment, *_login("wrong password")])

    assert done.returncode == 1
    assert f"run {deleted} stays" in done.stderr
    assert "401" in done.stderr
    assert proxied.keeps(deleted) == (True, True)


def test_a_run_that_cannot_be_removed_stays_alone_and_is_named(
    image: Unpacked, tmp_path: Path, proxied: Tracking
) -> None:
    # Any user may make such an experiment; the image has no driver for it.
    elsewhere = proxied.experiment(artifact_location="s3://elsewhere/nowhere")
    bad = proxied.deleted_run(elsewhere)
    good = [proxied.deleted_run() for _ in range(4)]
    deleted = proxied.experiment()
    proxied.run(deleted)
    proxied.client.post("/api/2.0/mlflow/experiments/delete", json={"experiment_id": deleted}).raise_for_status()

    done = attempt(image, tmp_path, [*COMMAND, "0s"], [*proxied.environment, *_login(users.ADMIN[1])])

    assert done.returncode == 1
    named = [line for line in done.stderr.splitlines() if line.startswith("mlflow-collect-garbage: run ")]
    assert [line.split()[2] for line in named] == [bad]
    assert "boto3" in named[0]
    assert [proxied.keeps(run) for run in good] == [(False, False)] * 4
    assert proxied.database.ask(f"SELECT * FROM experiments WHERE experiment_id = {deleted}") == []  # noqa: S608 - of this test
    proxied.post("restore", {"run_id": bad})


def test_an_experiment_goes_with_the_models_in_it(image: Unpacked, tmp_path: Path, proxied: Tracking) -> None:
    experiment = proxied.experiment()
    body = {"experiment_id": experiment, "name": "model"}
    created = proxied.client.post("/api/2.0/mlflow/logged-models", json=body).raise_for_status().json()
    model = created["model"]["info"]["model_id"]
    file = proxied.bucket.storage().bucket(BUCKET).blob(f"{experiment}/models/{model}/artifacts/weights")
    file.upload_from_string(secrets.token_bytes(64))
    proxied.client.post("/api/2.0/mlflow/experiments/delete", json={"experiment_id": experiment}).raise_for_status()

    call(image, tmp_path, [*COMMAND, "0s"], [*proxied.environment, *_login(users.ADMIN[1])])

    assert proxied.database.ask(f"SELECT * FROM experiments WHERE experiment_id = {experiment}") == []  # noqa: S608 - of this test
    assert not file.exists()


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
