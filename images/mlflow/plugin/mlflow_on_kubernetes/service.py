"""A server is in service only while the database's tables are those of its release.

Otherwise MLflow would answer 400 or 500, by which clients lose what they send; 503 they repeat. Looks from time to time
at what `tables` tells. Leaves a server that starts while tables do not fit to `waiting`.
"""

import logging
import os
import threading
import time
from contextlib import suppress

import psycopg
from mlflow.server.constants import BACKEND_STORE_URI_ENV_VAR
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mlflow_on_kubernetes import early, tables

READY = "/ready"
"""Answers whether the server is in service, to a readiness probe."""
ALWAYS = ("/health", "/version")
"""Answered out of service as well: the process lives."""
RETRY_AFTER = 30
"""Seconds: MLflow's client comes again seven times, so it outlasts 210 seconds."""

_logger = logging.getLogger(__name__)


class Watch:
    """What is in the way of serving, as it was seen last; looks for as long as the process lives.

    While the database cannot be asked, what was seen last holds: whether it answers is another question.
    """

    def __init__(self, obstacle: str | None = None) -> None:
        self.obstacle = obstacle
        threading.Thread(target=self._look, name="tables", daemon=True).start()

    def _look(self) -> None:
        while True:
            with suppress(psycopg.Error), tables.connect() as connection:
                while True:
                    self._note(tables.obstacle(connection))
                    time.sleep(tables.INTERVAL)
            time.sleep(tables.INTERVAL)

    def _note(self, obstacle: str | None) -> None:
        if obstacle != self.obstacle:
            _logger.warning(obstacle or "The database's tables fit: in service again.")
        self.obstacle = obstacle


def watch() -> Watch | None:
    """Return a watch of this server's tables; None where it has no PostgreSQL."""
    return Watch() if os.environ.get(BACKEND_STORE_URI_ENV_VAR, "").startswith("postgresql") else None


class InService:
    """An application that is asked only while nothing is in the way; `watch` is None where nothing ever is."""

    def __init__(self, app: ASGIApp, watch: Watch | None) -> None:
        self._app = app
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        obstacle = self._watch.obstacle if self._watch else None
        path = scope["path"] if scope["type"] == "http" else None
        if obstacle is not None and path is not None and path not in ALWAYS:
            await early.answer(refusal(obstacle), scope, receive, send)
        elif path == READY:
            await PlainTextResponse("OK")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def refusal(obstacle: str) -> Response:
    """Return an answer that clients repeat, in the form of MLflow's errors."""
    content = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": obstacle}
    return JSONResponse(content, 503, {"retry-after": str(RETRY_AFTER)})
