"""How the stand-in's program is told from others, and when it is replaced."""

import os
import socket
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from local import instance, stack, standin
from local.errors import UserError
from local.instance import Instance
from local.minikube import programs
from local.process import Daemon
from tests.gcp.standin import free_port

MINE = Instance("mine")
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
OURS = OK + b'{"pid": %d, "failing": []}' % os.getpid()


@pytest.fixture(autouse=True)
def on_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance has a state folder and a port of the test's own."""
    monkeypatch.setattr(instance, "STATE_ROOT", tmp_path)
    monkeypatch.setattr(standin, "LONGEST_STATE", 200)  # pytest's folders are deep
    monkeypatch.setattr(Instance, "host_address", "127.0.0.1")
    monkeypatch.setattr(Instance, "gcp_port", free_port())


@contextmanager
def answering(words: bytes, *, ask: bool = True) -> Generator[None]:
    """Answer one connection on the stand-in's port with these words, and only when asked unless `ask` is false."""

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            if ask:
                connection.recv(65536)
            connection.sendall(words)

    with closing(socket.create_server((MINE.host_address, MINE.gcp_port))) as listener:
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        yield
        thread.join(10)


@pytest.fixture
def said_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is this process."""

    def pid(_: Daemon) -> int:
        return os.getpid()

    monkeypatch.setattr(Daemon, "pid", pid)


@pytest.mark.usefixtures("said_to_run")
def test_the_stand_in_s_own_answer_is_healthy() -> None:
    with answering(OURS):
        assert standin.healthy(MINE)


@pytest.mark.usefixtures("said_to_run")
def test_a_proxy_is_not_asked_about_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(OURS):
        assert standin.healthy(MINE)


@pytest.mark.usefixtures("said_to_run")
@pytest.mark.parametrize("words", [OK, OK + b'{"failing": []}', OK + b'{"pid": 1, "failing": []}'])
def test_another_server_that_answers_200_is_not_taken_for_it(words: bytes) -> None:
    with answering(words):
        assert not standin.healthy(MINE)


@pytest.mark.usefixtures("said_to_run")
def test_a_server_that_speaks_first_is_not_taken_for_it() -> None:
    with answering(b"220 mail.example.org ESMTP\r\n", ask=False):
        assert not standin.healthy(MINE)


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", MINE.gcp_port))),
        pytest.raises(UserError, match=rf"port {MINE.gcp_port} .*in use.*`ss -ltnp`.*MLFLOW_LOCAL_INSTANCE"),
    ):
        standin.check(MINE)

    standin.check(MINE)


def test_a_state_folder_whose_path_is_too_long_for_postgresql_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "STATE_ROOT", tmp_path / ("a" * 200))

    with pytest.raises(UserError, match=r"longer than 200 characters.*MLFLOW_LOCAL_INSTANCE.*XDG_STATE_HOME"):
        standin.check(MINE)


@pytest.fixture
def sleeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A program in the stand-in's place that does nothing."""
    argv = [sys.executable, "-c", "import signal; signal.pause()"]
    program = Daemon(name="gcp", argv=argv, run_dir=MINE.run_dir, log_dir=tmp_path)

    def of(_: Instance) -> Daemon:
        return program

    def healthy(_: Instance) -> bool:
        return True

    monkeypatch.setattr(standin, "daemon", of)
    monkeypatch.setattr(standin, "healthy", healthy)
    yield program
    program.stop()


def test_a_stand_in_of_other_sources_is_replaced_and_one_of_the_same_is_kept(sleeper: Daemon) -> None:
    standin.up(MINE)
    first = sleeper.pid()

    standin.up(MINE)
    assert sleeper.pid() == first

    (note,) = MINE.run_dir.glob("*.version")
    note.write_text("of other sources")
    standin.up(MINE)
    assert sleeper.pid() not in {None, first}


def test_no_proxy_is_asked_for_the_instance_beside_those_that_people_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def engine(_: Path) -> dict[str, str]:
        return {"PATH": "/usr/bin"}

    monkeypatch.setattr(stack, "engine_environment", engine)
    monkeypatch.setattr(programs, "kubectl", lambda: tmp_path)
    monkeypatch.setattr(programs, "minikube", lambda: tmp_path)
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("no_proxy", "intranet,example.org")

    variables = stack.environment(MINE)

    assert variables["no_proxy"] == variables["NO_PROXY"]
    assert variables["NO_PROXY"].split(",") == ["intranet", "example.org", "localhost", "127.0.0.1", MINE.node_address]
