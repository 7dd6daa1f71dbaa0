"""The image holds less than MLflow asks for; every feature that the server is meant to have is tried here."""

import re
import secrets
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tests import traces
from tests.image.container import Unpacked, call, serving

ARTIFACTS, METRICS = "/tmp/artifacts", "/tmp/metrics"  # noqa: S108 - inside the container, which has nothing else
ADMIN = ("admin", "a password for this test only")


@pytest.fixture(scope="module")
def server(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    options = ["--artifacts-destination", ARTIFACTS, "--expose-prometheus", METRICS]
    with serving(image, tmp_path_factory.mktemp("server"), options) as client:
        yield client


@pytest.fixture(scope="module")
def guarded_server(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    env = [f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN[1]}", "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only"]
    with serving(image, tmp_path_factory.mktemp("guarded"), ["--app-name", "kubernetes-basic-auth"], env) as client:
        yield client


def _post(server: httpx.Client, method: str, body: object) -> dict[str, dict[str, str]]:
    answer = server.post(f"/api/2.0/mlflow/{method}", json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


@pytest.fixture
def experiment(server: httpx.Client) -> str:
    return str(_post(server, "experiments/create", {"name": secrets.token_hex(8)})["experiment_id"])


@pytest.fixture
def run(server: httpx.Client, experiment: str) -> dict[str, str]:
    body = {"experiment_id": experiment, "start_time": time.time_ns() // 1_000_000}
    created = server.post("/api/2.0/mlflow/runs/create", json=body).json()
    return created["run"]["info"]


def test_the_image_names_an_unprivileged_user(image: Unpacked) -> None:
    assert image.config["User"] == "10001:10001"


def test_the_user_has_a_name_and_a_home(image: Unpacked, tmp_path: Path) -> None:
    program = "import getpass, os, pwd; print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir)"

    assert call(image, tmp_path, ["python3", "-c", program]) == "mlflow /tmp\n"


def test_the_drivers_of_postgresql_and_cloud_storage_load(image: Unpacked, tmp_path: Path) -> None:
    program = "import google.cloud.storage, psycopg, psycopg2, uvloop, httptools; print(psycopg.pq.__impl__)"

    assert call(image, tmp_path, ["python3", "-c", program]) == "binary\n"


def test_a_schema_is_made_by_a_command_of_its_own(image: Unpacked, tmp_path: Path) -> None:
    call(image, tmp_path, ["mlflow", "db", "upgrade", "sqlite:////tmp/new.db"])


def test_the_user_interface_and_its_script_are_served(server: httpx.Client) -> None:
    page = server.get("/")
    script = re.search(r'src="(static-files/[^"]+\.js)"', page.text)

    assert page.status_code == httpx.codes.OK
    assert script is not None
    assert server.get(f"/{script[1]}").headers["content-type"].startswith("text/javascript")


def test_a_run_keeps_its_metrics_and_parameters(server: httpx.Client, run: dict[str, str]) -> None:
    metrics = [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}]
    parameters = [{"key": "depth", "value": "3"}]
    _post(server, "runs/log-batch", {"run_id": run["run_id"], "metrics": metrics, "params": parameters})

    found = server.post("/api/2.0/mlflow/runs/search", json={"experiment_ids": [run["experiment_id"]]}).json()

    assert [one["info"]["run_id"] for one in found["runs"]] == [run["run_id"]]
    assert found["runs"][0]["data"]["metrics"][0]["value"] == 0.5
    assert found["runs"][0]["data"]["params"] == parameters


def test_graphql_answers_what_the_user_interface_asks(server: httpx.Client, experiment: str) -> None:
    query = (
        "query q($input: MlflowGetExperimentInput!) {mlflowGetExperiment(input: $input) {experiment {experimentId}}}"
    )
    body = {"query": query, "variables": {"input": {"experimentId": experiment}}}

    answer = server.post("/graphql", json=body).json()

    assert answer["errors"] is None
    assert answer["data"]["mlflowGetExperiment"]["experiment"]["experimentId"] == experiment


def test_a_model_version_is_registered(server: httpx.Client, run: dict[str, str]) -> None:
    name = secrets.token_hex(8)
    _post(server, "registered-models/create", {"name": name})

    body = {"name": name, "source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]}
    version = _post(server, "model-versions/create", body)["model_version"]

    assert (version["name"], version["version"], version["status"]) == (name, "1", "READY")


def test_an_artifact_goes_through_the_proxy_and_back(server: httpx.Client) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{secrets.token_hex(8)}/plot.bin"
    content = secrets.token_bytes(1 << 20)

    assert server.put(path, content=content).status_code == httpx.codes.OK
    assert server.get(path).content == content


def test_spans_become_a_trace(server: httpx.Client, experiment: str) -> None:
    trace = traces.of_spans("answer", experiment=experiment)
    sent = server.post(traces.PATH, content=trace.body, headers=trace.headers)
    assert sent.status_code == httpx.codes.OK, sent.text

    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    found = server.post("/api/3.0/mlflow/traces/search", json={"locations": [place]}).json()

    assert [one["trace_id"] for one in found["traces"]] == [trace.id]


def test_a_guardrail_is_made_by_whoever_uses_the_server(server: httpx.Client, experiment: str) -> None:
    scorer = {"experiment_id": experiment, "name": "polite", "serialized_scorer": '{"name": "polite"}'}
    registered = server.post("/api/3.0/mlflow/scorers/register", json=scorer).json()
    place = {"scorer_id": registered["scorer_id"], "scorer_version": registered["version"]}
    guardrail = {"name": secrets.token_hex(8), **place, "stage": "BEFORE", "action": "VALIDATION"}

    answer = server.post("/api/3.0/mlflow/gateway/guardrails/create", json=guardrail)

    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.json()["guardrail"]["created_by"] == "mlflow"


def test_prometheus_reads_the_metrics(server: httpx.Client, experiment: str) -> None:
    assert experiment

    metrics = server.get("/metrics").text

    assert re.search(r'^mlflow_http_request_total\{.*method="POST".*status="200".*\} \d', metrics, re.MULTILINE)


def test_a_call_without_a_password_is_refused(guarded_server: httpx.Client) -> None:
    search = "/api/2.0/mlflow/experiments/search?max_results=5"

    assert guarded_server.get(search).status_code == httpx.codes.UNAUTHORIZED
    assert guarded_server.get(search, auth=("admin", "wrong")).status_code == httpx.codes.UNAUTHORIZED
    assert guarded_server.get(search, auth=ADMIN).status_code == httpx.codes.OK


def test_the_administrator_adds_a_user(guarded_server: httpx.Client) -> None:
    user = {"username": secrets.token_hex(8), "password": secrets.token_hex(8)}
    added = guarded_server.post("/api/2.0/mlflow/users/create", json=user, auth=ADMIN)

    assert added.status_code == httpx.codes.OK, added.text
    mine = guarded_server.get("/api/2.0/mlflow/users/current", auth=(user["username"], user["password"]))
    assert mine.json()["user"]["username"] == user["username"]


def test_the_sign_up_form_is_served(guarded_server: httpx.Client) -> None:
    assert 'name="csrf_token"' in guarded_server.get("/signup", auth=ADMIN).text
