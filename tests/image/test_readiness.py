"""`mlflow-ready` tells whether server and database answer and which one does not, and costs little."""

import secrets
import socket
import threading
import time
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from tests.image.container import Unpacked, attempt, call, free_port, serving
from tests.image.database import Database, Instance


class _Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/ready" else 404)
        self.end_headers()


class _Ill(_Health):
    status = 503


@pytest.fixture
def port() -> Generator[int]:
    yield from _listening(_Health)


@pytest.fixture
def ill_port() -> Generator[int]:
    yield from _listening(_Ill)


def _listening(handler: type[BaseHTTPRequestHandler]) -> Generator[int]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def silent_port() -> Generator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def environment(database: Database) -> list[str]:
    return database.for_administrator()


def _refusal(image: Unpacked, folder: Path, port: int, environment: list[str]) -> str:
    done = attempt(image, folder, ["mlflow-ready", str(port)], environment)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_pod_is_ready_when_server_and_database_answer(
    image: Unpacked, tmp_path: Path, port: int, environment: list[str]
) -> None:
    done = attempt(image, tmp_path, ["mlflow-ready", str(port)], environment)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_server_that_does_not_listen_is_named(image: Unpacked, tmp_path: Path, environment: list[str]) -> None:
    assert "the server does not answer" in _refusal(image, tmp_path, free_port(), environment)


def test_a_server_that_answers_an_error_is_named(
    image: Unpacked, tmp_path: Path, ill_port: int, environment: list[str]
) -> None:
    assert "503" in _refusal(image, tmp_path, ill_port, environment)


def test_a_server_that_hangs_is_given_up(
    image: Unpacked, tmp_path: Path, silent_port: int, environment: list[str]
) -> None:
    start = time.monotonic()

    assert "timed out" in _refusal(image, tmp_path, silent_port, environment)
    assert time.monotonic() - start < 8


def test_a_lost_database_is_named(image: Unpacked, tmp_path: Path, port: int, environment: list[str]) -> None:
    said = _refusal(image, tmp_path, port, [*environment, f"PGPORT={free_port()}"])

    assert "the database does not answer" in said
    assert "Connection refused" in said


def test_a_database_that_hangs_is_given_up(
    image: Unpacked, tmp_path: Path, port: int, silent_port: int, environment: list[str]
) -> None:
    start = time.monotonic()
    said = _refusal(image, tmp_path, port, [*environment, "PGHOST=127.0.0.1", f"PGPORT={silent_port}"])

    assert "the database does not answer" in said
    assert time.monotonic() - start < 8


def test_a_password_that_was_just_changed_does_not_take_pods_away(
    image: Unpacked, tmp_path: Path, port: int, environment: list[str]
) -> None:
    wrong = [*environment, f"PGPASSWORD={secrets.token_hex()}"]

    assert attempt(image, tmp_path, ["mlflow-ready", str(port)], wrong).returncode == 0


def test_a_database_that_is_not_there_is_named_without_the_password(
    image: Unpacked, tmp_path: Path, port: int, environment: list[str]
) -> None:
    said = _refusal(image, tmp_path, port, [*environment, "PGDATABASE=nothing"])
    password = next(entry.partition("=")[2] for entry in environment if entry.startswith("PGPASSWORD="))

    assert 'database "nothing" does not exist' in said
    assert password not in said


def test_a_database_that_is_full_does_not_take_pods_away(
    image: Unpacked, tmp_path: Path, port: int, instance: Instance
) -> None:
    database = instance.database()
    database.ask(f"CREATE ROLE \"{database.login}\" LOGIN PASSWORD '{database.password}' CONNECTION LIMIT 0")

    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        database.connect()
    assert attempt(image, tmp_path, ["mlflow-ready", str(port)], database.for_server()).returncode == 0


def test_a_port_has_to_be_given(image: Unpacked, tmp_path: Path) -> None:
    assert "mlflow-ready 5000" in attempt(image, tmp_path, ["mlflow-ready"]).stderr


def test_a_probe_takes_little_time_of_the_cpu(
    image: Unpacked, tmp_path: Path, port: int, environment: list[str]
) -> None:
    timed = ["bash", "-c", f"TIMEFORMAT='%U %S'; time mlflow-ready {port}"]
    spent = attempt(image, tmp_path, timed, environment).stderr.split()

    assert sum(map(float, spent)) < 0.1


def test_the_real_server_is_ready(image: Unpacked, tmp_path: Path, environment: list[str]) -> None:
    call(image, tmp_path / "tables", ["mlflow-migrate"], environment)
    options = ["--backend-store-uri", "postgresql+psycopg2://"]
    with serving(image, tmp_path / "server", options, environment) as client:
        port = client.base_url.port
        assert attempt(image, tmp_path / "probe", ["mlflow-ready", str(port)], environment).returncode == 0
