"""The object store behind the buckets: gcp-storage-emulator, made durable and patient.

Run as a program (`python -m local.gcp.object_store FOLDER`) it serves on a free loopback port, which it prints, until
its standard input ends: when the stand-in is killed it goes too. Three things of the emulator are mended here, on its
own classes; large uploads are in `uploads`, old generations in `generations`, and what its server answers in `mends`.
It rewrites its files in place, the index of all objects at every change, and does not wait for the disk, so that a kill
at the wrong moment loses everything. It keeps an object in a file of the object's name, so that "a" and "a/b" cannot
both exist. And it serves one connection after the other, so that one slow client holds up all.
"""

import hashlib
import io
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gcp_storage_emulator.server import RequestHandler, Router
from gcp_storage_emulator.settings import STORAGE_DIR
from gcp_storage_emulator.storage import RESUMABLE_DIR

from local.gcp.generations import ConditionError, Generations
from local.gcp.mends import mend, read_body
from local.gcp.store import Json, Store
from local.gcp.uploads import Mapped, content

log = logging.getLogger(__name__)
_LEVELS = {"buckets": 1, "objects": 2, "resumable": 1, "bucket_iam_policies": 1, "soft_deleted": 3}
"""Attributes in which the emulator keeps its index, and how deep in their dictionaries the entries lie."""


class _DurableStorage(Generations):
    """The emulator's storage: contents written whole and through to the disk, the index in a database."""

    def __init__(self, folder: Path) -> None:
        self._index = Store(folder / "index.sqlite3")
        self._root = folder / STORAGE_DIR
        super().__init__(data_dir=str(folder))
        self._store.write_bytes = self._write
        self._store.read_bytes = self._read

    def create_file(
        self, bucket_name: str, file_name: str, content: bytes | Mapped, file_obj: Json, file_id: str | None = None
    ) -> None:
        """Keep an object; size, metageneration and type in Google's form."""
        file_obj["size"], file_obj["metageneration"] = str(len(content)), "1"
        file_obj["contentType"] = file_obj["contentType"] or "application/octet-stream"
        super().create_file(bucket_name, file_name, content, file_obj, file_id)

    def _object_path(self, bucket_name: str, file_name: str) -> str:
        return f"{bucket_name}/{hashlib.sha256(file_name.encode()).hexdigest()}"

    def _read(self, rel: str) -> Any:  # noqa: ANN401 - bytes, or what behaves as bytes
        return content(self._root / rel)

    def _write(self, rel: str, content: bytes | Mapped) -> None:
        path = self._root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.new")
        if isinstance(content, Mapped) and content.path.parent.name == RESUMABLE_DIR:
            content.path.replace(temporary)  # the pieces of an upload become the object
        else:
            temporary.write_bytes(content)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)

    def _read_config_from_file(self) -> None:
        for section in _LEVELS:
            tree: Json = {}
            for key, entry in self._index.items(section):
                *folders, name = json.loads(key)
                node = tree
                for folder in folders:
                    node = node.setdefault(folder, {})
                node[name] = entry
            setattr(self, section, tree)
        self._versions = {key: _version(entry) for key, entry in self._entries()}

    def _write_config_to_file(self) -> None:
        """Write what differs from what was written last: the index of all objects is large, a change is small."""
        entries = dict(self._entries())
        versions = {key: _version(entry) for key, entry in entries.items()}
        with self._index.transaction():
            for section, *path in self._versions.keys() - versions.keys():
                self._index.delete(section, json.dumps(path))
            for key, version in versions.items():
                if self._versions.get(key) != version:
                    self._index.put(key[0], json.dumps(key[1:]), entries[key])
        self._versions = versions

    def _entries(self) -> Iterator[tuple[tuple[str, ...], Json]]:
        for section, levels in _LEVELS.items():
            yield from _leaves((section,), getattr(self, section), levels)


def _leaves(path: tuple[str, ...], node: Json, levels: int) -> Iterator[tuple[tuple[str, ...], Json]]:
    for name, child in node.items():
        if levels == 1:
            yield (*path, name), child
        else:
            yield from _leaves((*path, name), child, levels - 1)


def _version(entry: Json) -> tuple[str, str] | str:
    """Answer what differs when the entry does; objects count their own changes."""
    if "generation" in entry:
        return entry["generation"], entry["metageneration"]
    return json.dumps(entry)


def _sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class _BufferedHandler(RequestHandler):
    """Reads the request before, and writes the answer after, its turn: only the storage is used by one at a time."""

    turn = threading.Lock()
    storage: _DurableStorage

    def _in_turn(self) -> None:
        connection, self.wfile = self.wfile, io.BytesIO()
        try:
            read_body(self)
            with self.turn:
                self.storage.ask(self.command, dict(parse_qsl(urlsplit(self.path).query)))
                Router(self).handle(self.command)
        except ConditionError as error:
            self.send_error(error.status, str(error))
        except Exception as error:
            log.exception("%s %s", self.command, self.path)
            self.wfile = io.BytesIO()
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")
        connection.write(self.wfile.getbuffer())
        self.wfile = connection

    def send_header(self, keyword: str, value: str) -> None:
        """Send metadata in any script, as UTF-8."""
        super().send_header(keyword, value.encode().decode("latin-1"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _in_turn  # noqa: N815 - the names that http.server calls


def _serve(folder: Path) -> None:
    mend()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_BufferedHandler, _DurableStorage(folder)))
    print(server.server_port, flush=True)

    def end_with_parent() -> None:
        sys.stdin.read()
        server.shutdown()

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
