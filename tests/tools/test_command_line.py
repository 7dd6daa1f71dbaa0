"""What `python -m local COMMAND` says where it can not do what it is asked."""

import errno
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from local import __main__ as command_line
from local import cluster, instance, ownership, standin, virtualenv
from local.cache import cached
from local.engine import environment
from local.errors import UserError
from local.instance import Instance
from local.minikube import checks


@pytest.fixture(autouse=True)
def state_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of the test's own for all instances and for the cache."""
    root = tmp_path / "state"
    for module in (instance, ownership, command_line):
        monkeypatch.setattr(module, "STATE_ROOT", root)
    monkeypatch.setattr(standin, "LONGEST_STATE", 200)  # pytest's folders are deep
    for check in ("user", "version"):
        monkeypatch.setattr(checks, check, nothing)
    monkeypatch.setattr(virtualenv, "provide", too_early)
    monkeypatch.setenv("MLFLOW_LOCAL_INSTANCE", "mine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = signal.getsignal(signal.SIGTERM)
    yield root
    signal.signal(signal.SIGTERM, before)


def nothing(*_: object) -> None:
    """Do nothing."""


def too_early(*_: object) -> None:
    """Fail: what a test waits for comes before anything is installed or built."""
    pytest.fail("it is installed")


def yes(*_: object) -> bool:
    """Agree."""
    return True


def said(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command; return its status and what it told people."""
    monkeypatch.setattr("sys.argv", ["local", command])
    return command_line.main(), capsys.readouterr().err


def failing(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `status` meet an error of the operating system."""

    def fail(_: object) -> None:
        raise error

    monkeypatch.setitem(command_line.COMMANDS, "status", fail)


def test_a_full_disk_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(OSError(errno.ENOSPC, "No space left on device", "/var/lib/etcd"), monkeypatch)

    status, words = said("status", monkeypatch, capsys)

    assert status == 1
    assert "No space left on device: '/var/lib/etcd': free some disk space" in words


def test_who_may_not_read_a_file_is_told_whose_it_may_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(PermissionError(errno.EACCES, "Permission denied", "/var/lib/admin.key"), monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert said("status", monkeypatch, capsys)[1].endswith(
        "'/var/lib/admin.key': it belongs to another user: run the same command as that one, or take another clone\n"
    )


def test_a_cache_folder_that_is_a_file_is_named_by_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").touch()
    monkeypatch.setitem(command_line.COMMANDS, "status", lambda _: cached("thing", "1", nothing) and None)

    assert "cache/mlflow-local': set XDG_CACHE_HOME" in said("status", monkeypatch, capsys)[1]


def held_by_another_clone(state_root: Path, tmp_path: Path) -> None:
    """Give the instance to another clone."""
    (state_root / "mine").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "Pulumi.yaml").touch()
    (state_root / "mine" / "owner").write_text(str(tmp_path / "theirs"))


@pytest.mark.parametrize("command", ["up", "down", "env"])
def test_a_second_clone_is_told_who_holds_the_name_without_waiting(
    command: str,
    state_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    held_by_another_clone(state_root, tmp_path)
    monkeypatch.setattr(command_line, "running", yes)

    def wait(*_: object) -> None:
        pytest.fail("it waits for the other clone's command")

    monkeypatch.setattr(command_line, "locked", wait)

    status, words = said(command, monkeypatch, capsys)

    assert status == 1
    assert "belongs to the clone" in words
    assert str(tmp_path / "theirs") in words


@pytest.fixture
def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance runs whose engine is not built any more."""

    def build(_: Path) -> None:
        pytest.fail("it builds an engine")

    monkeypatch.setattr(environment, "own_engine", lambda: cached("engine", "1", build))
    monkeypatch.setattr(command_line, "running", yes)


@pytest.mark.usefixtures("without_engine")
def test_down_builds_no_engine_only_to_destroy_what_goes_anyway(
    state_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(standin, "down", nothing)
    monkeypatch.setattr(cluster, "purge", nothing)
    (state_root / "mine").mkdir(parents=True)

    status, words = said("down", monkeypatch, capsys)

    assert status == 0
    assert "stack: not destroyed by itself, it goes with the instance" in words
    assert list(state_root.iterdir()) == []


@pytest.mark.usefixtures("without_engine")
def test_env_builds_nothing_either(
    state_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (state_root / "mine").mkdir(parents=True)

    assert "engine-1 is missing: run `make up`" in said("env", monkeypatch, capsys)[1]


@pytest.mark.parametrize(
    ("command", "check", "refused"),
    [
        ("up", "version", True),
        ("start", "version", True),
        ("status", "version", False),
        ("start", "user", True),
        ("status", "user", False),
    ],
)
def test_a_machine_that_can_not_run_a_cluster_is_told_so_before_anything_is_begun(
    command: str, check: str, *, refused: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise UserError("not here")

    monkeypatch.setattr(checks, check, refuse)

    assert (said(command, monkeypatch, capsys)[1] == "error: not here\n") is refused


def test_a_port_that_is_taken_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = Instance("mine").gcp_port
    with closing(socket.create_server(("127.0.0.1", port))):
        status, words = said("start", monkeypatch, capsys)

    assert status == 1
    assert f"port {port} of 127.0.0.1" in words


def test_a_start_needs_space_where_the_state_lies(
    state_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "STATE_GIB", 10**9)

    words = said("start", monkeypatch, capsys)[1]

    assert f"{state_root} has " in words
    assert "XDG_CACHE_HOME" not in words
