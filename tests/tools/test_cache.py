"""Results are kept whole or not at all."""

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from local import cache
from local.cache import NotBuiltError, cache_root, cached, key_of, locked, nothing_built
from local.errors import UserError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def write_result(folder: Path) -> None:
    """Build a result of one file."""
    (folder / "result").write_text("whole")


def test_a_result_is_built_once() -> None:
    first = cached("thing", "1", write_result)

    def build_again(_: Path) -> None:
        raise AssertionError

    assert cached("thing", "1", build_again) == first
    assert (first / "result").read_text() == "whole"


def cut_off(file: Path) -> None:
    """Leave a part of a file."""
    file.write_text("who")


@pytest.mark.parametrize("damage", [Path.unlink, cut_off])
def test_a_result_that_lost_a_file_or_a_part_of_one_is_built_again(
    damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    first = cached("thing", "1", write_result)
    damage(first / "result")

    again = cached("thing", "1", write_result)

    assert (again / "result").read_text() == "whole"
    assert "thing-1 is not as it was built: building it again" in capsys.readouterr().err


def test_what_came_into_a_result_later_does_not_count() -> None:
    def build(folder: Path) -> None:
        write_result(folder)
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "a.pyc").touch()

    first = cached("thing", "1", build)
    (first / "later").touch()
    (first / "__pycache__" / "a.pyc").write_text("compiled anew")

    assert (cached("thing", "1", build) / "later").exists()


def test_where_nothing_may_be_built_a_missing_result_is_named() -> None:
    with nothing_built(), pytest.raises(NotBuiltError, match="thing-1 is missing: run `make up`"):
        cached("thing", "1", write_result)

    assert cached("thing", "1", write_result).is_dir()


def test_who_waited_for_a_lock_that_was_deleted_meanwhile_holds_the_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, waits = tmp_path / "lock", threading.Event()
    held: list[bool] = []

    def say(_: str) -> None:
        waits.set()

    monkeypatch.setattr(cache, "say", say)

    def wait_and_hold() -> None:
        with locked(lock, "waiting"):
            with lock.open() as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(True)

    waiter = threading.Thread(target=wait_and_hold)
    with locked(lock, "waiting"):
        waiter.start()
        assert waits.wait(10)
        lock.unlink()
        lock.touch()
    waiter.join(10)

    assert held == [True]


def test_a_failed_build_leaves_nothing_and_the_next_try_works() -> None:
    def fail(folder: Path) -> None:
        (folder / "result").write_text("half")
        raise UserError("the registry does not answer")

    with pytest.raises(UserError, match="the registry does not answer"):
        cached("thing", "1", fail)

    assert not [path for path in cache_root().iterdir() if path.is_dir()]
    assert (cached("thing", "1", write_result) / "result").read_text() == "whole"


def test_what_a_killed_build_left_is_never_used_and_goes() -> None:
    leftover = cache_root() / ".thing-partial-killed"
    leftover.mkdir(parents=True)
    (leftover / "result").write_text("half")

    result = cached("thing", "1", write_result)

    assert (result / "result").read_text() == "whole"
    assert not leftover.exists()


def test_a_second_builder_waits_for_the_first_and_takes_its_result() -> None:
    started, go_on = threading.Event(), threading.Event()
    builds: list[str] = []

    def build(folder: Path) -> None:
        builds.append("built")
        started.set()
        assert go_on.wait(10)
        write_result(folder)

    builders = [threading.Thread(target=cached, args=("thing", "1", build)) for _ in range(2)]
    builders[0].start()
    assert started.wait(10)
    builders[1].start()
    go_on.set()
    for builder in builders:
        builder.join(10)

    assert builds == ["built"]


def test_too_little_space_is_said_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "GIB", 1024**5)

    with pytest.raises(UserError, match=r"0\.0 GiB free, 18 GiB are needed.*XDG_CACHE_HOME"):
        cached("thing", "1", write_result, need_gib=18)


def test_a_key_follows_from_names_and_content(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text("1")
    before = key_of(folder)
    (folder / "a").rename(folder / "b")
    renamed = key_of(folder)
    (folder / "b").write_text("2")

    assert len({before, renamed, key_of(folder)}) == 3
    assert key_of(folder) == key_of(folder)
