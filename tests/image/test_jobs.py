"""A server without MLflow's job runner refuses what needs it at once, says why, and keeps nothing of it."""

import json
import secrets
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.image.container import Unpacked, serving

SCORER = json.dumps({"name": "polite", "serialization_version": 1, "mlflow_version": "3.17.2"})


@pytest.fixture(scope="module")
def server(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    options = ["--artifacts-destination", "/tmp/artifacts"]  # noqa: S108 - the container's own
    with serving(image, tmp_path_factory.mktemp("jobs"), options) as client:
        client.timeout = httpx.Timeout(90)
        yield client


@pytest.fixture
def experiment(server: httpx.Client) -> str:
    body = {"name": secrets.token_hex(8)}
    return server.post("/api/2.0/mlflow/experiments/create", json=body).raise_for_status().json()["experiment_id"]


@pytest.fixture
def trace(server: httpx.Client, experiment: str) -> str:
    info = {
        "trace_id": f"tr-{secrets.token_hex(16)}",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
    }
    body = {"trace": {"trace_info": info}}
    return server.post("/api/3.0/mlflow/traces", json=body).raise_for_status().json()["trace"]["trace_info"]["trace_id"]


def _refusal(answer: httpx.Response) -> str:
    assert answer.status_code == httpx.codes.BAD_REQUEST, answer.text
    return answer.text


def _runs(server: httpx.Client, experiment: str) -> list[Any]:
    body = {"experiment_ids": [experiment], "run_view_type": "ALL"}
    return server.post("/api/2.0/mlflow/runs/search", json=body).raise_for_status().json().get("runs", [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/ajax-api/3.0/mlflow/issues/invoke",
            {"categories": ["safety"], "provider": "openai", "endpoint_name": "judge"},
        ),
        ("/ajax-api/3.0/mlflow/genai/evaluate/invoke", {"serialized_scorers": [SCORER]}),
        ("/ajax-api/3.0/mlflow/scorer/invoke", {"serialized_scorer": SCORER}),
        (
            "/ajax-api/3.0/mlflow/prompt-optimization/jobs",
            {"source_prompt_uri": "prompts:/x/1", "config": {"optimizer_type": "OPTIMIZER_TYPE_GEPA"}},
        ),
    ],
)
def test_what_needs_the_job_runner_is_refused_and_leaves_no_run(
    server: httpx.Client, experiment: str, trace: str, path: str, body: dict[str, Any]
) -> None:
    for _ in range(2):
        answer = server.post(path, json={"experiment_id": experiment, "trace_ids": [trace], **body})

        assert "This server runs no jobs" in _refusal(answer)
    assert _runs(server, experiment) == []


def test_a_job_by_its_name_is_refused(server: httpx.Client, experiment: str) -> None:
    body = {"job_name": "optimize_prompts", "params": {"experiment_id": experiment}}

    assert "This server runs no jobs" in _refusal(server.post("/ajax-api/3.0/jobs/", json=body))


def test_automatic_evaluation_is_not_turned_on(server: httpx.Client, experiment: str) -> None:
    scorer = {"experiment_id": experiment, "name": "polite", "serialized_scorer": SCORER}
    registered = server.post("/api/3.0/mlflow/scorers/register", json=scorer).raise_for_status().json()
    path = "/ajax-api/3.0/mlflow/scorers/online-config"
    setting = {"experiment_id": experiment, "name": "polite"}

    assert "This server runs no jobs" in _refusal(server.put(path, json={**setting, "sample_rate": 1.0}))
    configured = server.request(
        "GET", f"{path}s", params={"scorer_ids": registered["scorer_id"]}, headers={"content-type": "application/json"}
    )
    assert configured.json() == {"configs": []}
    assert server.put(path, json={**setting, "sample_rate": 0}).status_code == httpx.codes.OK


def test_the_demo_starts_on_a_new_server(server: httpx.Client) -> None:
    answer = server.post("/ajax-api/3.0/mlflow/demo/generate", json={"features": ["prompts", "judges"]})

    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.json()["status"] == "created"
