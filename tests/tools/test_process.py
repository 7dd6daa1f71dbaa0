"""Background programs are ended by their identity, never by a number alone."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from local.errors import UserError
from local.process import Daemon, start_time, wait_for

SLEEPER = "import signal, sys; print('ready', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"


def daemon(tmp_path: Path, script: str) -> Daemon:
    """A background program that runs a Python script."""
    return Daemon(name="program", argv=[sys.executable, "-c", script], run_dir=tmp_path, log_dir=tmp_path)


def started(tmp_path: Path, script: str) -> Daemon:
    """The same, after its first words."""
    program = daemon(tmp_path, script)
    program.start()
    wait_for(lambda: "ready" in program.log.read_text(), what="its first words", deadline=10)
    return program


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    program = started(tmp_path, SLEEPER)
    pid = program.pid()

    program.start()

    assert program.pid() == pid
    program.stop()
    assert not program.running()


def test_a_program_that_ignores_sigterm_ends_all_the_same(tmp_path: Path) -> None:
    program = started(tmp_path, STUBBORN)
    pid = program.pid()
    assert pid is not None

    program.stop(timeout=0.2)

    assert start_time(pid) is None


def test_another_process_under_the_noted_number_is_left_alone(tmp_path: Path) -> None:
    other = started(tmp_path / "other", SLEEPER)
    program = daemon(tmp_path, SLEEPER)
    program.pid_file.write_text(json.dumps({"pid": other.pid(), "started": "1"}))

    assert not program.running()
    program.stop()

    assert other.running()
    other.stop()


def test_after_kill_9_it_counts_as_stopped_and_starts_again(tmp_path: Path) -> None:
    program = started(tmp_path, SLEEPER)
    pid = program.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not program.running(), what="its end", deadline=10)

    program.start()

    assert program.pid() not in {None, pid}
    program.stop()


def test_the_last_words_of_a_program_that_ended_are_repeated(tmp_path: Path) -> None:
    program = daemon(tmp_path, "print('the port 80 is taken')")
    program.start()
    wait_for(lambda: not program.running(), what="its end", deadline=10)

    assert "the port 80 is taken" in str(program.ended())
    assert str(program.log) in str(program.ended())


def test_a_wait_in_vain_says_for_what_how_long_and_where_the_log_is() -> None:
    with pytest.raises(UserError, match=r"waited 0 s in vain for the moon; its log is /var/log/moon\.log"):
        wait_for(lambda: False, what="the moon", deadline=0.1, log=Path("/var/log/moon.log"))
