"""Another release migrates the tables while a server of the release before runs: clients are asked to come again.

One story, told in order: each test finds what the one before left.
"""

import socket
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from local.image import build
from local.process import wait_for
from tests import traces
from tests.image.container import Unpacked, attempt, call, running, serving, unpack
from tests.image.database import Database, Instance
from tests.image.test_dockerfile import PREVIOUS_LOCK

OPTIONS = ["--backend-store-uri", "postgresql+psycopg2://"]
LOCK_SECONDS = 4
"""For how long the migration may have others wait."""


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """The image of the release before."""
    return unpack(build(PREVIOUS_LOCK).tar, tmp_path_factory.mktemp("previous") / "root")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upgrades")


@pytest.fixture(scope="module")
def database(previous: Unpacked, instance: Instance, folder: Path) -> Database:
    """A database with the tables of the release before."""
    database = instance.database()
    call(previous, folder / "account", ["mlflow-database-account", "prepare"], database.for_administrator())
    call(previous, folder / "tables", ["mlflow-migrate"], database.for_server())
    return database


@pytest.fixture(scope="module")
def server(previous: Unpacked, folder: Path, database: Database) -> Generator[httpx.Client]:
    """A server of the release before that runs all the time."""
    with serving(previous, folder / "server", OPTIONS, database.for_server()) as client:
        yield client


def send_span(server: httpx.Client) -> httpx.Response:
    """Send a span as any OTLP exporter does."""
    trace = traces.of_spans("answer")
    return server.post(traces.PATH, content=trace.body, headers=trace.headers)


def readiness(image: Unpacked, folder: Path, database: Database, server: httpx.Client) -> int:
    """Return the status of a server's readiness probe."""
    probe = ["mlflow-ready", str(server.base_url.port)]
    return attempt(image, folder / "probe", probe, database.for_server()).returncode


def test_a_server_serves_while_the_tables_are_those_of_its_release(
    previous: Unpacked, folder: Path, database: Database, server: httpx.Client
) -> None:
    assert send_span(server).status_code == 200
    assert readiness(previous, folder, database, server) == 0


def test_a_reader_holds_up_the_migration_and_no_writer(
    image: Unpacked, folder: Path, database: Database, server: httpx.Client
) -> None:
    statuses: set[int] = set()
    longest = 0.0
    with database.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM spans")  # as an export does, whose transaction stays open

        with running(image, folder / "migration", ["mlflow-migrate"], database.for_server()) as migration:

            def held_up() -> bool:
                nonlocal longest
                assert migration.process.poll() is None, migration.log.read_text()
                begun = time.monotonic()
                statuses.add(send_span(server).status_code)
                longest = max(longest, time.monotonic() - begun)
                return "holds spans" in migration.log.read_text()

            wait_for(held_up, what="the migration to find a reader", deadline=60, log=migration.log)
            reader.execute("ROLLBACK")
            assert statuses == {200}
            assert longest < LOCK_SECONDS + 2

            def done() -> bool:
                statuses.add(send_span(server).status_code)
                return migration.process.poll() is not None

            wait_for(done, what="the migration", deadline=90, log=migration.log)
            assert migration.process.returncode == 0, migration.log.read_text()
    assert statuses == {200, 503}


def test_a_server_of_before_then_has_clients_come_again_and_is_not_ready(
    previous: Unpacked, folder: Path, database: Database, server: httpx.Client
) -> None:
    wait_for(
        lambda: "a newer release has migrated" in send_span(server).text,
        what="the server to see what became of the tables",
        deadline=10,
    )
    answers = [send_span(server), server.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"})]

    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "a newer release has migrated" in answer.json()["message"]
    assert server.get("/health").status_code == 200
    assert readiness(previous, folder, database, server) == 1


def test_it_takes_a_request_whole_before_it_refuses_it(server: httpx.Client) -> None:
    body = b'{"experiment_id": "0"}'
    head = f"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((server.base_url.host, server.base_url.port or 80)) as connection:
        connection.sendall(head.encode())
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.recv(1)

        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 503 ")


def test_a_server_of_before_that_starts_then_waits_alive_and_not_ready(
    previous: Unpacked, folder: Path, database: Database
) -> None:
    with serving(previous, folder / "restarted", OPTIONS, database.for_server()) as restarted:
        time.sleep(3)

        assert restarted.get("/health").status_code == 200
        assert send_span(restarted).status_code == 503
        assert readiness(previous, folder, database, restarted) == 1


def test_a_migration_that_is_done_already_does_nothing_and_ends_at_once(
    image: Unpacked, folder: Path, database: Database
) -> None:
    with database.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM spans")
        begun = time.monotonic()

        done = attempt(image, folder / "again", ["mlflow-migrate"], database.for_server())

    assert done.returncode == 0
    assert done.stderr == "mlflow-migrate: the tables are those of this release\n"
    assert time.monotonic() - begun < 10


def test_a_release_of_before_refuses_to_migrate_and_says_why(
    previous: Unpacked, folder: Path, database: Database
) -> None:
    done = attempt(previous, folder / "back", ["mlflow-migrate"], database.for_server())

    assert done.returncode == 1
    assert "a newer one has migrated the tables" in done.stderr


def test_a_migration_that_waits_in_vain_names_who_is_in_the_way_and_leaves_the_tables(
    previous: Unpacked, image: Unpacked, folder: Path, instance: Instance
) -> None:
    other = instance.database()
    call(previous, folder / "account", ["mlflow-database-account", "prepare"], other.for_administrator())
    call(previous, folder / "tables", ["mlflow-migrate"], other.for_server())
    before = other.ask("SELECT version_num FROM alembic_version")
    with other.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs")
        done = attempt(image, folder / "vain", ["mlflow-migrate", "--patience", "0"], other.for_server())

    assert done.returncode == 1
    assert f"{other.login} () holds jobs" in done.stderr
    assert other.ask("SELECT version_num FROM alembic_version") == before


def test_a_reader_that_comes_after_the_announcement_holds_up_nobody_for_long(
    previous: Unpacked, image: Unpacked, folder: Path, instance: Instance
) -> None:
    other = instance.database()
    call(previous, folder / "account", ["mlflow-database-account", "prepare"], other.for_administrator())
    call(previous, folder / "tables", ["mlflow-migrate"], other.for_server())
    with (
        other.connect() as reader,
        running(image, folder / "late", ["mlflow-migrate"], other.for_server()) as migration,
    ):
        log = migration.log
        wait_for(lambda: "servers answer 503" in log.read_text(), what="the announcement", deadline=60, log=log)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM spans")
        wait_for(lambda: "holds spans" in log.read_text(), what="the migration to give way", deadline=30, log=log)

        reader.execute("ROLLBACK")
        wait_for(lambda: migration.process.poll() is not None, what="the migration", deadline=90, log=log)
    assert migration.process.returncode == 0, log.read_text()


def test_the_new_release_serves_and_while_the_database_cannot_be_asked_it_stays_so(
    image: Unpacked, folder: Path, database: Database
) -> None:
    with serving(image, folder / "new", OPTIONS, database.for_server()) as new:
        assert send_span(new).status_code == 200
        assert readiness(image, folder, database, new) == 0

        database.ask(f'ALTER ROLE "{database.login}" NOLOGIN')
        ended = database.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'mlflow-tables' AND datname = current_database()"
        )
        time.sleep(5)
        assert (True,) in ended
        assert new.get("/ready").status_code == 200
