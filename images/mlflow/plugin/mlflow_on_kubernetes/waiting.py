"""A server that starts while the database's tables are those of another release waits, alive and not ready.

MLflow itself would change tables without a word to servers that use them, or end, again and again.
"""

import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import uvicorn
from mlflow.version import VERSION
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mlflow_on_kubernetes import tables
from mlflow_on_kubernetes.service import InService, Watch

_LAST_REQUEST_SECONDS = 5


def until_tables_fit(arguments: Sequence[str]) -> None:
    """Return once a server with these arguments of `mlflow server` can start; answer in its place until then.

    Returns at once where the database cannot be asked, since MLflow waits for it by itself, or is none of PostgreSQL's.
    """
    if not _option(arguments, "--backend-store-uri").startswith("postgresql"):
        return
    try:
        with tables.connect() as connection:
            obstacle = tables.obstacle(connection)
    except psycopg.Error:
        return
    if obstacle is None:
        return
    print("mlflow-serve: not started yet.", obstacle, file=sys.stderr, flush=True)  # noqa: T201 - the container's log
    # The first process of a container ignores a signal that it has no handler for.
    signal.signal(signal.SIGTERM, _end)
    watch = Watch(obstacle)
    with _answering(_option(arguments, "--host"), int(_option(arguments, "--port")), watch):
        while watch.obstacle is not None:
            time.sleep(tables.INTERVAL)


def _end(*_: object) -> NoReturn:
    sys.exit(0)


def _option(arguments: Sequence[str], name: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments[:-1] else ""


@contextmanager
def _answering(host: str, port: int, watch: Watch) -> Generator[None]:
    application = InService(_alive, watch)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            lifespan="off",
            log_level="warning",
            timeout_graceful_shutdown=_LAST_REQUEST_SECONDS,
        )
    )
    thread = threading.Thread(target=server.run, name="waiting")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


async def _alive(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what `service.ALWAYS` names."""
    text = VERSION if scope["path"] == "/version" else "OK"
    await PlainTextResponse(text)(scope, receive, send)
