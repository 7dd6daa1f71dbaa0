"""MLflow's queries that only some drivers of PostgreSQL take; SQLite takes them all."""

import secrets
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.image.container import Unpacked, call, serving
from tests.image.database import Instance

BACKEND = "postgresql+psycopg2://"


@pytest.fixture(scope="module")
def server(image: Unpacked, instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    folder, database = tmp_path_factory.mktemp("driver"), instance.database()
    call(image, folder, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, folder, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    with serving(image, folder, ["--backend-store-uri", BACKEND], database.for_server()) as client:
        yield client


def _post(server: httpx.Client, method: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = server.post(f"/api/{method}", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


@pytest.fixture
def experiment(server: httpx.Client) -> str:
    return _post(server, "2.0/mlflow/experiments/create", {"name": secrets.token_hex(8)})["experiment_id"]


def test_a_dataset_is_added_to_an_experiment_and_taken_from_it(server: httpx.Client, experiment: str) -> None:
    created = _post(server, "3.0/mlflow/datasets/create", {"name": secrets.token_hex(8)})
    dataset = f"3.0/mlflow/datasets/{created['dataset']['dataset_id']}"

    _post(server, f"{dataset}/add-experiments", {"experiment_ids": [experiment]})
    assert server.get(f"/api/{dataset}/experiment-ids").json() == {"experiment_ids": [experiment]}

    _post(server, f"{dataset}/remove-experiments", {"experiment_ids": [experiment]})
    assert server.get(f"/api/{dataset}/experiment-ids").json() == {}


@pytest.mark.parametrize("condition", ["timestamp_ms > '0'", "execution_time_ms > '0'"])
def test_a_number_in_quotes_filters_traces(server: httpx.Client, experiment: str, condition: str) -> None:
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}

    _post(server, "3.0/mlflow/traces/search", {"locations": [place], "filter": condition})


def test_a_version_takes_the_place_of_another_in_its_stage(server: httpx.Client) -> None:
    name = secrets.token_hex(8)
    _post(server, "2.0/mlflow/registered-models/create", {"name": name})
    for version in ("1", "2"):
        _post(server, "2.0/mlflow/model-versions/create", {"name": name, "source": "s3://elsewhere/model"})
        stage = {"name": name, "version": version, "stage": "Production", "archive_existing_versions": True}
        _post(server, "2.0/mlflow/model-versions/transition-stage", stage)

    answer = server.get("/api/2.0/mlflow/model-versions/get", params={"name": name, "version": "1"})
    assert answer.json()["model_version"]["current_stage"] == "Archived"
