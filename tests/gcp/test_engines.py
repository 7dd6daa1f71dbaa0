"""PostgreSQL comes from the registry as it was published, or not at all."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from maven_artifact import Downloader

from local.errors import UserError
from local.gcp import engines


class _Changed(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"another program")

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name in the library
        """Say nothing."""


@contextmanager
def _registry() -> Generator[str]:
    with HTTPServer(("127.0.0.1", 0), _Changed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _nothing_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_every_version_that_the_program_offers_is_here() -> None:
    assert sorted(engines.here()) == [14, 15, 16, 17, 18]


def test_what_has_changed_at_the_registry_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with _registry() as url:
        monkeypatch.setattr(engines, "Downloader", partial(Downloader, url))
        with pytest.raises(UserError, match=r"18\.4\.0 is not what it was: its SHA-256 is .* Do not use it"):
            engines.bring(18, tmp_path / "postgresql-18")
    assert list(tmp_path.glob("postgresql-*")) == []


def test_a_registry_that_does_not_answer_is_named_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(engines, "Downloader", partial(Downloader, address))
    with pytest.raises(UserError, match=r"refused.*PostgreSQL comes from there: open a way to it"):
        engines.bring(18, tmp_path / "postgresql-18")
