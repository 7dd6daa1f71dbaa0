"""Everything that clients do with a server, a function a kind: what each wrote can be looked for afterwards."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests import traces
from tests.production.client import API_3, Client

_PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}


@dataclass(frozen=True)
class Written:
    """Something that the server confirmed.

    Attributes:
        name: says what it is.
        there: tells whether a client finds it whole.

    """

    name: str
    there: Callable[[Client], bool]


def run(client: Client) -> Written:
    """Track a run with a metric."""
    made = client.track()
    return Written(f"run {made}", lambda client: client.has(made))


def batch(client: Client) -> Written:
    """Log many metrics, parameters and tags at once."""
    now = time.time_ns() // 1_000_000
    made = client.ask("POST", "runs/create", {"experiment_id": "0", "start_time": now})["run"]["info"]["run_id"]
    metrics = [{"key": "loss", "value": 1 / step, "timestamp": now, "step": step} for step in range(1, 101)]
    params = [{"key": f"layer {number}", "value": "64"} for number in range(20)]
    body = {"run_id": made, "metrics": metrics, "params": params, "tags": [{"key": "team", "value": "a"}]}
    client.ask("POST", "runs/log-batch", body)

    def there(client: Client) -> bool:
        data = client.ask("GET", f"runs/get?run_id={made}")["run"]["data"]
        history = client.ask("GET", f"metrics/get-history?run_id={made}&metric_key=loss")["metrics"]
        tags = {tag["key"]: tag["value"] for tag in data["tags"]}
        return len(data["params"]) == len(params) and len(history) == len(metrics) and tags["team"] == "a"

    return Written(f"batch of run {made}", there)


def spans(client: Client) -> Written:
    """Send a trace of two spans by OTLP."""
    trace = traces.of_spans("answer", "retrieve")
    client.send("POST", traces.PATH, trace.body, **trace.headers)

    def there(client: Client) -> bool:
        found = client.ask("GET", f"traces/get?trace_id={trace.id}", api=API_3)["trace"]
        return len(found["spans"]) == 2

    return Written(f"spans of trace {trace.id}", there)


def trace(client: Client) -> Written:
    """Register a trace as MLflow's client does before it sends the spans."""
    made = f"tr-{secrets.token_hex(16)}"
    info = {
        "trace_id": made,
        "trace_location": _PLACE,
        "request_time": datetime.now(UTC).isoformat(),
        "execution_duration": "0.5s",
        "state": "OK",
        "tags": {"mlflow.traceName": "answer"},
    }
    client.ask("POST", "traces", {"trace": {"trace_info": info}}, api=API_3)

    def there(client: Client) -> bool:
        found = client.ask("GET", f"traces/{made}", api=API_3)["trace"]["trace_info"]
        return found["state"] == "OK" and found["tags"]["mlflow.traceName"] == "answer"

    return Written(f"trace {made}", there)


def model(client: Client) -> Written:
    """Log a model and register a version of it."""
    name = f"model-{secrets.token_hex(8)}"
    logged = client.ask("POST", "logged-models", {"experiment_id": "0", "name": name})["model"]["info"]
    client.ask("POST", "registered-models/create", {"name": name})
    body = {"name": name, "source": logged["artifact_uri"], "model_id": logged["model_id"]}
    version = client.ask("POST", "model-versions/create", body)["model_version"]["version"]

    def there(client: Client) -> bool:
        found = client.ask("GET", f"model-versions/get?name={name}&version={version}")["model_version"]
        kept = client.ask("GET", f"logged-models/{logged['model_id']}")["model"]["info"]
        return found["source"] == logged["artifact_uri"] and kept["name"] == name

    return Written(f"version {version} of {name}", there)


def artifact(client: Client) -> Written:
    """Store a file through the server."""
    path = f"/api/2.0/mlflow-artifacts/artifacts/load/{secrets.token_hex(8)}.bin"
    content = secrets.token_bytes(64 * 1024)
    client.send("PUT", path, content, Content_Type="application/octet-stream")
    return Written(f"artifact {path}", lambda client: client.send("GET", path) == content)


def search(client: Client) -> None:
    """Look for what there is, as the pages of the user interface do."""
    found: list[dict[str, Any]] = [
        client.ask("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 20}),
        client.ask("POST", "experiments/search", {"max_results": 20}),
        client.ask("GET", "registered-models/search?max_results=20"),
        client.ask("POST", "traces/search", {"locations": [_PLACE], "max_results": 20}, api=API_3),
    ]
    assert found[1]["experiments"]


KINDS: tuple[Callable[[Client], Written | None], ...] = (run, batch, spans, trace, model, artifact, search)
"""Whatever clients do."""
