"""Keeps the event loop free: what may wait for the database runs in a thread, on an event loop of its own.

MLflow's own routes, and the check of passwords before them, ask the database from within the event loop. While it is
silent that loop would stand still, and with it `/health`, so that the liveness probe ends the pod. What Flask answers
runs in threads already, as many as the pool of connections serves.
"""

import asyncio
import threading
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio.to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")
_own = threading.local()

_MOST = 64  # uploads and downloads of slow clients, and answers of language models, hold one for long
_OF_FLASK = 12  # each finds a connection: the Dockerfile allows 15
# These have threads of their own, and the second is bound to the first event loop that it is used on.
_NEVER_WAITS = ("/health", "/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info")
# MLflow answers these itself although Flask knows them as well.
_ARTIFACTS = ("/api/2.0/mlflow-artifacts/artifacts/", "/ajax-api/2.0/mlflow-artifacts/artifacts/")


class OwnLoops:
    """An ASGI application that answers as another one does, each request that may wait in a thread of its own.

    At most 64 run at a time, further ones wait; bodies pass piece by piece, as fast as the slower side takes them.
    """

    def __init__(self, app: ASGIApp) -> None:
        from mlflow.server import app as flask  # noqa: PLC0415 - `app` says why

        self._app = app
        self._threads = ThreadPoolExecutor(_MOST, thread_name_prefix="request")
        self._flask = flask.url_map.bind("localhost")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            anyio.to_thread.current_default_thread_limiter().total_tokens = _OF_FLASK
        if scope["type"] != "http" or not self._may_wait(scope["path"], scope["method"]):
            await self._app(scope, receive, send)
            return
        request = _Request(self._app, scope, receive, send)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, request.answer)
        except asyncio.CancelledError:
            request.cancel()
            raise

    def _may_wait(self, path: str, method: str) -> bool:
        if path in _NEVER_WAITS:
            return False
        return path.startswith(_ARTIFACTS) or not self._flask.test(path, method)


class _Request:
    """One request on its way through a thread; what it receives and sends is asked of the loop that it came from."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._answer = app
        self._scope, self._receive, self._send = scope, receive, send
        self._server = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False

    def answer(self) -> None:
        """Answer, in the thread that this is called in."""
        if not hasattr(_own, "loop"):
            _own.loop = type(self._server)()  # for as long as the thread lives
        _own.loop.run_until_complete(self._run())

    def cancel(self) -> None:
        """Break off, from any thread; whoever answers sees CancelledError."""
        self._cancelled = True
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        if not self._cancelled:
            await self._answer(self._scope, self._receive_there, self._send_there)

    async def _receive_there(self) -> Message:
        return await self._there(self._receive())

    async def _send_there(self, message: Message) -> None:
        await self._there(self._send(message))

    async def _there(self, work: Awaitable[T]) -> T:
        """Wait for what the server's loop does."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_coroutine(work), self._server))


async def _coroutine(work: Awaitable[T]) -> T:
    return await work
