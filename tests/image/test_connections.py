"""Connections that a load balancer keeps: the server is not the one that closes them, until its pod is to end."""

import subprocess
import time
from collections.abc import Generator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import httpx
import pytest

from tests.image.container import Unpacked, serving
from tests.unit.server import option
from tests.unit.server import server as described

IDLE_SECONDS = 7  # a server of uvicorn's own settings closes after 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("connections")


@pytest.fixture(scope="module")
def server(image: Unpacked, folder: Path) -> Generator[httpx.URL]:
    with serving(image, folder, [f"--uvicorn-opts={option(described(), '--uvicorn-opts')}"], workers=2) as client:
        yield client.base_url


def _connect(server: httpx.URL) -> HTTPConnection:
    return HTTPConnection(server.host, server.port, timeout=10)


def _ask(connection: HTTPConnection) -> HTTPResponse:
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    return answer


def test_a_connection_that_was_idle_for_long_still_answers(server: httpx.URL) -> None:
    with closing(_connect(server)) as connection:
        _ask(connection)
        kept = connection.sock
        time.sleep(IDLE_SECONDS)

        assert _ask(connection).status == httpx.codes.OK
        assert connection.sock is kept


def test_once_the_pod_is_to_end_each_connection_closes_after_its_next_answer(server: httpx.URL, folder: Path) -> None:
    runc = ["runc", "--root", folder / "runc"]
    container = subprocess.run([*runc, "list", "--quiet"], check=True, capture_output=True, text=True).stdout.strip()
    kept = [_connect(server) for _ in range(8)]
    before = {_ask(connection).will_close for connection in kept}

    subprocess.run([*runc, "exec", container, "mlflow-farewell", "0"], check=True)
    after = [_ask(connection) for connection in kept]

    assert before == {False}
    assert {(answer.status, answer.will_close) for answer in after} == {(httpx.codes.OK, True)}
