"""Downloads that are answered at once, and sent while they are read from Cloud Storage.

MLflow first copies the whole file to its disk, then answers; by then a client may have given up, or the disk may be
full. Here MLflow's handlers decide as always who may read which file, and answer with an empty one. `cloud_storage`
tells which object it stands for, and that is sent, as with a web server's X-Sendfile.
"""

import re
from contextvars import ContextVar

from google.cloud.storage import Blob
from starlette.datastructures import MutableHeaders
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlflow_on_kubernetes.pieces import contents

PATH = re.compile(
    r"/(ajax-)?api/2\.0/mlflow-artifacts/artifacts/."
    r"|/get-artifact$|/model-versions/get-artifact$|/mlflow/logged-models/[^/]+/artifacts/files$"
)
"""Paths of requests whose answer is one file."""

ASKED: ContextVar[list[Blob] | None] = ContextVar("asked", default=None)
"""Where `cloud_storage` puts the object that a request is answered with; None where MLflow itself needs the file."""


class StreamedDownloads:
    """An application whose downloads are sent from Cloud Storage."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "GET" or not PATH.search(scope["path"]):
            await self._app(scope, receive, send)
            return
        asked: list[Blob] = []
        started: list[Message] = []

        async def hold_back(message: Message) -> None:
            if not asked:
                await send(message)
            elif message["type"] == "http.response.start":
                started.append(message)

        token = ASKED.set(asked)
        try:
            await self._app(scope, receive, hold_back)
        finally:
            ASKED.reset(token)
        if started:
            await _response(started[0], asked[0])(scope, receive, send)


def _response(start: Message, blob: Blob) -> StreamingResponse:
    """Return the answer that MLflow began, with the object in place of the empty file."""
    response = StreamingResponse(contents(blob), status_code=start["status"])
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-length"] = str(blob.size)
    if blob.content_encoding:
        headers["content-encoding"] = blob.content_encoding
    # They are those of the empty file.
    for name in ("etag", "last-modified", "accept-ranges", "transfer-encoding"):
        if name in headers:
            del headers[name]
    response.raw_headers = headers.raw
    return response
