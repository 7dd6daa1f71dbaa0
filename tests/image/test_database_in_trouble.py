"""A database that goes silent, or holds a table for long: the server lives on, and no client is told to give up."""

import secrets
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from components.kubernetes.server_command import BACKEND
from tests import firewall, traces
from tests.gcp.standin import address, connect
from tests.image import users
from tests.image.container import Unpacked, call, serving
from tests.image.database import Database, Instance

SILENT_SECONDS = 15
RECOVERED_SECONDS = 15
LOCKED_SECONDS = 34  # SQLAlchemy alone waits 30 for a connection
CLIENTS = 40
ALIVE_SECONDS = 5  # what the liveness probe waits for

_FULL = """
from mlflow.exceptions import MlflowException
from mlflow.store.db import utils
from mlflow_on_kubernetes.connections import wait_for_connections
from sqlalchemy import create_engine, orm, text

wait_for_connections()
pool = utils.create_sqlalchemy_engine("sqlite:////tmp/waiting.db").pool
print(pool.timeout())
engine = create_engine("sqlite:////tmp/full.db", poolclass=type(pool), pool_size=1, max_overflow=0, pool_timeout=0.1)
session = utils._get_managed_session_maker(orm.sessionmaker(bind=engine), "sqlite")
with engine.connect():
    try:
        with session() as waiting:
            waiting.execute(text("SELECT 1"))
    except MlflowException as error:
        print(error.get_http_status_code())
"""


@pytest.fixture(scope="module")
def database(image: Unpacked, instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Database:
    database = instance.database()
    call(image, tmp_path_factory.mktemp("schema"), ["mlflow-migrate"], database.for_administrator())
    return database


@pytest.fixture(scope="module")
def servers(
    image: Unpacked, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Generator[list[httpx.Client]]:
    """A server that anybody uses and one that people log in to, both starting at once."""
    shared = tmp_path_factory.mktemp("configuration")
    # Without the cache each request asks the database who it is from.
    env = [*database.for_administrator(), *users.configure(shared, cache_seconds=0)]
    users.prepare(image, tmp_path_factory.mktemp("users"), env, shared)
    options = ["--backend-store-uri", BACKEND, "--artifacts-destination", "/tmp/artifacts"]  # noqa: S108 - the container's own

    def start(kind: str) -> httpx.Client:
        server = serving(image, tmp_path_factory.mktemp("server"), [*options, "--app-name", kind], env, shared=shared)
        client = stack.enter_context(server)
        client.auth, client.timeout = users.ADMIN, httpx.Timeout(120)
        return client

    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        yield list(pool.map(start, ["kubernetes", "kubernetes-basic-auth"]))


@contextmanager
def locked(database: Database, table: str) -> Generator[None]:
    """Hold a table, as a migration behind a long read does."""
    with connect(database.instance.description, dbname=database.name) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table}".encode())
        yield


def create_run(server: httpx.Client) -> httpx.Response:
    return server.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0", "start_time": 1})


def search(server: httpx.Client) -> httpx.Response:
    return server.get("/api/2.0/mlflow/experiments/search?max_results=5")


def send_trace(server: httpx.Client) -> httpx.Response:
    trace = traces.of_spans("answer")
    return server.post(traces.PATH, content=trace.body, headers=trace.headers)


def upload(server: httpx.Client) -> httpx.Response:
    return server.put(f"/api/2.0/mlflow-artifacts/artifacts/{secrets.token_hex(8)}", content=b"x" * 1000)


def ask_gateway(server: httpx.Client) -> httpx.Response:
    return server.post("/gateway/nobody/mlflow/invocations", json={})


CALLS: Sequence[Callable[[httpx.Client], httpx.Response]] = (create_run, search, send_trace, upload, ask_gateway)


def slowest_health(servers: Sequence[httpx.Client], seconds: float) -> float:
    """Ask each server for its health again and again; return the seconds that the slowest answer took."""
    slowest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        for server in servers:
            started = time.monotonic()
            assert server.get("/health", auth=None).is_success
            slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.2)
    return slowest


def statuses(answers: Sequence[Future[httpx.Response]]) -> set[int]:
    return {answer.result().status_code for answer in answers}


def test_a_silent_database_ends_no_server_and_refuses_no_client(
    servers: list[httpx.Client], database: Database
) -> None:
    for server in servers:
        assert [ask(server).status_code for ask in CALLS] == [200, 200, 200, 200, 404]

    with ThreadPoolExecutor(max_workers=CLIENTS) as pool:
        with firewall.silence(address(database.instance.description), 5432):
            answers = [pool.submit(ask, server) for ask in CALLS for server in servers for _ in range(4)]
            slowest = slowest_health(servers, SILENT_SECONDS)
        back = time.monotonic()
        recovered = {server.base_url: create_run(server).status_code for server in servers}
        took = time.monotonic() - back

    assert slowest < ALIVE_SECONDS
    assert set(recovered.values()) == {200}
    assert took < RECOVERED_SECONDS
    # What was lost meanwhile clients send again: they do after a 503, not after a 400 or 401.
    assert statuses(answers) <= {200, 404, 503}


# What Flask answers has fewer threads than there are connections. What it does not has more, and to store spans MLflow
# takes a second connection while it holds one.
@pytest.mark.parametrize(("table", "ask"), [("runs", create_run), ("trace_info", send_trace)])
def test_a_table_that_is_locked_for_long_fails_no_call(
    servers: list[httpx.Client],
    database: Database,
    table: str,
    ask: Callable[[httpx.Client], httpx.Response],
) -> None:
    with ThreadPoolExecutor(max_workers=CLIENTS) as pool, locked(database, table):
        answers = [pool.submit(ask, servers[0]) for _ in range(CLIENTS)]
        slowest = slowest_health(servers[:1], LOCKED_SECONDS)
        waiting = database.ask(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

    assert statuses(answers) == {200}
    assert slowest < ALIVE_SECONDS
    assert len(waiting) == 12


def test_who_waits_in_vain_for_a_connection_is_told_to_come_again(image: Unpacked, tmp_path: Path) -> None:
    assert call(image, tmp_path, ["python3", "-c", _FULL]).split() == ["100", "503"]
