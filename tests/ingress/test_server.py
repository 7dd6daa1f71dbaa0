"""nginx's files on disk, and Debian's package that brings it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local.errors import UserError
from local.ingress import program, server
from local.ingress.server import Server
from local.process import Daemon

FILES = {"nginx.conf": b"events {}", "shop_tls.key": b"a key"}


def test_a_set_is_whole_and_readable_by_root_alone(tmp_path: Path) -> None:
    made = server.put(tmp_path, FILES)

    assert {file.name: file.read_bytes() for file in made.iterdir()} == FILES
    assert {file.stat().st_mode & 0o777 for file in made.iterdir()} == {0o600}
    assert server.put(tmp_path, FILES) == made


def test_what_an_interrupted_write_left_is_thrown_away(tmp_path: Path) -> None:
    made = server.put(tmp_path, FILES)
    leftover = made.rename(made.with_suffix(".partial"))
    (leftover / "nginx.conf").write_text("half a conf")

    assert (server.put(tmp_path, FILES) / "nginx.conf").read_bytes() == FILES["nginx.conf"]
    assert not leftover.exists()


def test_one_set_counts_and_the_others_go(tmp_path: Path) -> None:
    first, second = server.put(tmp_path, FILES), server.put(tmp_path, {"nginx.conf": b"events { }"})
    server.activate(tmp_path, first)
    server.activate(tmp_path, second)

    server.forget_others(tmp_path)

    assert (tmp_path / "current").resolve() == second
    assert [made.name for made in (tmp_path / "sets").iterdir()] == [second.name]


def test_a_first_start_serves_nothing_and_a_later_one_what_was_served(tmp_path: Path) -> None:
    program.prepare(tmp_path, "10.89.9.2")
    assert "proxy_pass" not in (tmp_path / "current" / "nginx.conf").read_text()

    server.activate(tmp_path, server.put(tmp_path, FILES))
    program.prepare(tmp_path, "10.89.9.2")
    assert (tmp_path / "current" / "nginx.conf").read_bytes() == FILES["nginx.conf"]


def test_without_nginx_the_remedy_is_named(tmp_path: Path) -> None:
    stopped = Server(Daemon(name="nginx", argv=[], run_dir=tmp_path, log_dir=tmp_path), tmp_path)

    with pytest.raises(UserError, match="nginx does not run: start it with `make up`"):
        stopped.take_up(FILES)


@pytest.mark.parametrize("there", [True, False])
def test_debians_own_service_of_nginx_stays_off_where_it_was_not_before(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    done: list[object] = []

    def note(argv: Sequence[str], *, env: Mapping[str, str]) -> None:
        assert "/usr/sbin" in env["PATH"]
        done.append(argv)

    def found(_: str, *, path: str) -> str | None:
        return "/usr/sbin/nginx" if there and "/usr/sbin" in path else None

    monkeypatch.setattr("shutil.which", found)
    monkeypatch.setattr("local.ingress.program.require", done.append)
    monkeypatch.setattr("local.ingress.program.run", note)

    program.provide()

    assert done == ([] if there else [{"nginx": "nginx"}, ["update-rc.d", "nginx", "disable"]])
