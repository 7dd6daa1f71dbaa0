"""A data scientist's session against the tracking server, checked behind its back."""

import mlflow
import psycopg
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from mlflow import sklearn
from sklearn.linear_model import LogisticRegression

from tests.e2e.conftest import Stack
from tests.wine import MODEL, tracked_run, wine


@pytest.fixture(scope="module")
def run_id(stack: Stack) -> str:
    """A run with parameters, metrics, a picture and a registered model."""
    mlflow.set_tracking_uri(stack.tracking_uri)
    return tracked_run()


@pytest.fixture
def bucket(stack: Stack) -> storage.Bucket:
    """The artifact bucket, as Google's own client sees it."""
    client = storage.Client(project="any", credentials=AnonymousCredentials())
    return client.bucket(stack.outputs["artifact_root"].removeprefix("gs://").split("/")[0])


def test_a_run_is_found_in_postgresql(run_id: str, database: psycopg.Connection) -> None:
    found = database.execute(
        "SELECT p.value, m.value FROM params p JOIN metrics m USING (run_uuid)"
        " WHERE run_uuid = %s AND p.key = 'C' AND m.key = 'accuracy'",
        [run_id],
    ).fetchone()

    assert found is not None
    assert found[0] == "0.5"
    assert found[1] > 0.9


def test_an_image_artifact_is_found_in_the_bucket(run_id: str, bucket: storage.Bucket) -> None:
    names = [blob.name for blob in bucket.list_blobs() if f"/{run_id}/artifacts/picture.png" in f"/{blob.name}"]

    assert len(names) == 1
    assert bucket.blob(names[0]).download_as_bytes().startswith(b"\x89PNG")


def test_a_registered_model_loads_and_predicts(run_id: str) -> None:
    version = mlflow.MlflowClient().search_model_versions(f"name = '{MODEL}'")[0]
    features, labels = wine()

    model = sklearn.load_model(f"models:/{MODEL}/{version.version}")

    assert isinstance(model, LogisticRegression)
    assert version.run_id == run_id
    assert model.score(features, labels) > 0.9


def test_runs_and_artifacts_outlive_a_stop(stack: Stack, run_id: str, bucket: storage.Bucket) -> None:
    stack.project.output("python3", "-m", "local", "stop")
    stack.project.output("make", "up")

    run = mlflow.get_run(run_id)

    assert run.data.params["C"] == "0.5"
    assert bucket.blob(f"{run.info.experiment_id}/{run_id}/artifacts/picture.png").exists()


def test_a_deleted_run_is_marked_in_postgresql(run_id: str, database: psycopg.Connection) -> None:
    mlflow.delete_run(run_id)

    found = database.execute("SELECT lifecycle_stage FROM runs WHERE run_uuid = %s", [run_id]).fetchone()

    assert found == ("deleted",)
