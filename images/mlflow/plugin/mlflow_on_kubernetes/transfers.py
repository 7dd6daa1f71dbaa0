"""How many artifacts a process takes or sends at a time, so that its memory has a bound.

Each takes about four times `pieces.CHUNK`, and settings/server.py counts with that. Others wait for their turn; after a
minute they are told to come again, which MLflow's clients do.
"""

import asyncio
import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mlflow_on_kubernetes import downloads, early

AT_A_TIME = 8
"""Transfers of one process."""
PATIENCE = 60
"""Seconds that a request waits for its turn; MLflow's client would wait 120."""
RETRY_AFTER = 5
"""Seconds after which a client that waited in vain is asked to come again."""

_UPLOAD = re.compile(r"/(ajax-)?api/2\.0/mlflow-artifacts/artifacts/.")


class LimitedTransfers:
    """An application that takes up and sends out few artifacts at a time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._free = asyncio.Semaphore(AT_A_TIME)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not _is_transfer(scope):
            await self._app(scope, receive, send)
            return
        try:
            await asyncio.wait_for(self._free.acquire(), PATIENCE)
        except TimeoutError:
            text = f"{AT_A_TIME} artifacts are on their way already: try again later"
            response = PlainTextResponse(text, 503, {"retry-after": str(RETRY_AFTER)})
            await early.answer(response, scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._free.release()


def _is_transfer(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    path = downloads.PATH if scope["method"] == "GET" else _UPLOAD if scope["method"] == "PUT" else None
    return path is not None and path.search(scope["path"]) is not None
