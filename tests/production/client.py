"""A client of the server that hides nothing: what MLflow's own would try again is an error here."""

import base64
import json
import ssl
import time
from http import HTTPStatus
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from tests.production.rehearsal import HOST

API = "/api/2.0/mlflow"
API_3 = "/api/3.0/mlflow"
_COME_AGAIN = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


class ComeAgainError(ConnectionError):
    """An answer after which MLflow's client and every OTLP sender repeat their request."""


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

    def send(self, method: str, path: str, content: bytes | None = None, **headers: str) -> bytes:
        """Return the content of the answer to a request; names of headers are given with _ for -.

        Raises:
            ComeAgainError: the server asks to come again.
            ConnectionError: the server answered with another status than 200.
            OSError: it did not answer.

        """
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, content, {**self._headers, **own})
        answer = self._connection.getresponse()
        received = answer.read()
        if answer.status != HTTPStatus.OK:
            kind = ComeAgainError if answer.status in _COME_AGAIN else ConnectionError
            # nginx answers at once where nobody serves, and then closes the connection without saying so.
            self.close()
            raise kind(f"{method} {path}: {answer.status} {received[:200].decode(errors='replace')}")
        return received

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, api: str = API) -> dict[str, Any]:
        """Return the answer to a question; raises what `send` does."""
        return json.loads(self.send(method, f"{api}/{path}", None if body is None else json.dumps(body).encode()))

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
