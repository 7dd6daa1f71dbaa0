"""Results are kept whole or not at all."""

import threading
from pathlib import Path

import pytest

from local import cache
from local.cache import cache_root, cached, key_of
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
