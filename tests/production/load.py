"""Clients that never stop asking: what they were refused, and whether everything they tracked is there."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from tests.production.rehearsal import HOST

CLIENTS = 3
LEAST_RUNS = 20


@dataclass
class Load:
    """What clients met so far.

    Attributes:
        failures: what went wrong, a line each.
        runs: ids of the runs that the server confirmed.

    """

    failures: list[str] = field(default_factory=list[str])
    runs: list[str] = field(default_factory=list[str])


class Client:
    """Speaks the tracking API over one kept connection, as MLflow's client does, but without its retries."""

    def __init__(self, authority: Path, password: str) -> None:
        context = ssl.create_default_context(cafile=authority)
        self._connection = HTTPSConnection(HOST, context=context, timeout=30)
        login = base64.b64encode(f"admin:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer to a question.

        Raises:
            ConnectionError: the server answered with another status than 200.
            OSError: it did not answer.

        """
        text = None if body is None else json.dumps(body).encode()
        self._connection.request(method, f"/api/2.0/mlflow/{path}", text, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"{method} {path}: {answer.status} {content[:200].decode(errors='replace')}")
        return json.loads(content)

    def track(self) -> str:
        """Track a run with a metric and return its id."""
        now = time.time_ns() // 1_000_000
        run = self.ask("POST", "runs/create", {"experiment_id": "0", "start_time": now})["run"]["info"]["run_id"]
        self.ask("POST", "runs/log-metric", {"run_id": run, "key": "loss", "value": 1.5, "timestamp": now})
        self.ask("POST", "runs/update", {"run_id": run, "status": "FINISHED", "end_time": now})
        return str(run)

    def has(self, run: str) -> bool:
        """Tell whether a run is there with its metric."""
        found = self.ask("GET", f"runs/get?run_id={run}")["run"]
        return found["info"]["status"] == "FINISHED" and found["data"]["metrics"][0]["value"] == 1.5


@contextmanager
def constant_load(authority: Path, password: str) -> Generator[Load]:
    """Track runs without a pause while the block runs; afterwards there must have been enough to mean something."""
    load, done = Load(), threading.Event()

    def work() -> None:
        client = Client(authority, password)
        while not done.is_set():
            try:
                load.runs.append(client.track())
            except (OSError, HTTPException) as error:
                load.failures.append(f"{time.strftime('%H:%M:%S')} {error!r}")
                client.close()
        client.close()

    clients = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        done.set()
        for client in clients:
            client.join()
    assert len(load.runs) >= LEAST_RUNS, f"only {len(load.runs)} runs were tracked, which proves nothing"


def lost(load: Load, authority: Path, password: str) -> list[str]:
    """Return the runs that the server had confirmed and does not have."""
    with closing(Client(authority, password)) as client:
        return [run for run in load.runs if not client.has(run)]
