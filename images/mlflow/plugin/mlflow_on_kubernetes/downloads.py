"""Downloads that are answered at once, and sent while they are read from Cloud Storage.

MLflow first copies the whole file to its disk, then answers; by then a client may have given up, or the disk may be
full. Here MLflow's handlers decide as always who may read which file, and answer with an empty one. `cloud_storage`
tells which object it stands for, and that is sent, as with a web server's X-Sendfile.
"""

import re
from contextvars import ContextVar

from google.cloud.storage import Blob
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mlflow_on_kubernetes.pieces import contents

PATH = re.compile(
    r"/(ajax-)?api/2\.0/mlflow-artifacts/artifacts/."
    r"|/get-artifact$|/model-versions/get-artifact$|/mlflow/logged-models/[^/]+/artifacts/files$"
)
"""Paths of requests whose answer is one file."""
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")

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
            await self._app({**scope, "headers": _for_all(scope)}, receive, hold_back)
        finally:
            ASKED.reset(token)
        if started:
            await _response(started[0], asked[0], Headers(scope=scope))(scope, receive, send)


def _for_all(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return a request's headers without those that ask for a part: an empty file has none."""
    return [(name, value) for name, value in scope["headers"] if name not in {b"range", b"if-range"}]


def _response(start: Message, blob: Blob, request: Headers) -> StreamingResponse:
    """Return the answer that MLflow began, with the object, or a part of it, in place of the empty file."""
    size = blob.size or 0
    part = _part(request, size)
    response = StreamingResponse(contents(blob, part or range(size)), 206 if part else start["status"])
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-length"] = str(len(part or range(size)))
    if part:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if blob.content_encoding:
        headers["content-encoding"] = blob.content_encoding
    headers["accept-ranges"] = "bytes"
    # They are those of the empty file.
    for name in ("etag", "last-modified", "transfer-encoding"):
        if name in headers:
            del headers[name]
    response.raw_headers = headers.raw
    return response


def _part(request: Headers, size: int) -> range | None:
    """Return which bytes are asked for, as a browser does that plays a film; None where it is all of them.

    Several parts, none that is there, or those of a file as it was before are answered with all, as RFC 9110 lets a
    server do (sections 13.1.5 and 14.2).
    """
    asked = _RANGE.fullmatch(request.get("range", ""))
    if asked is None or "if-range" in request:
        return None
    first, last = asked.groups()
    if not first:
        part = range(max(0, size - int(last or 0)), size)
    else:
        part = range(int(first), min(size, int(last) + 1 if last else size))
    return part or None
