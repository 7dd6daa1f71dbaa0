"""The object store behind the buckets: gcp-storage-emulator as a child process, its storage made durable.

Run as a program (`python -m local.gcp.emulator FOLDER`) it serves on a free loopback port, which it prints, until its
standard input ends: when the stand-in is killed it goes too. Three things of the emulator are mended here, on its own
classes. It rewrites its files in place and does not wait for the disk, so that a kill at the wrong moment loses the
index of all objects. It keeps an object in a file of the object's name, so that "a" and "a/b" cannot both exist. And
it serves one connection after the other, so that one slow client holds up all.
"""

import hashlib
import io
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gcp_storage_emulator.server import RequestHandler, Router
from gcp_storage_emulator.settings import STORAGE_DIR
from gcp_storage_emulator.storage import RESUMABLE_DIR, Storage


class _DurableStorage(Storage):
    """The emulator's storage, writing each file whole and through to the disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(data_dir=str(folder))
        self._root = folder / STORAGE_DIR
        self._store.write_bytes = self._write

    def _write(self, rel: str, content: bytes) -> None:
        half = rel.startswith(RESUMABLE_DIR)  # half an upload may be lost to a power failure: its client begins again
        _write_whole(self._root / rel, content, sync=not half)

    def create_file(self, bucket_name: str, file_name: str, content: bytes, file_obj: Any, file_id: Any = None) -> None:  # noqa: ANN401 - the emulator's own signature
        file_obj["size"] = str(len(content))  # `compose` forgets that Google writes sizes as strings
        super().create_file(bucket_name, file_name, content, file_obj, file_id)

    def _object_path(self, bucket_name: str, file_name: str) -> str:
        return f"{bucket_name}/{hashlib.sha256(file_name.encode()).hexdigest()}"


def _write_whole(path: Path, content: bytes, *, sync: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    temporary.replace(path)
    if sync:
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


class _BufferedHandler(RequestHandler):
    """Reads the request before, and writes the answer after, its turn: only the storage is used by one at a time."""

    turn = threading.Lock()

    def _in_turn(self) -> None:
        connection = self.wfile
        length = int(self.headers.get("Content-Length", 0))
        if length:
            self.rfile = io.BytesIO(self.rfile.read(length))
        self.wfile = io.BytesIO()
        with self.turn:
            Router(self).handle(self.command)
        connection.write(self.wfile.getbuffer())
        self.wfile = connection

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _in_turn  # noqa: N815 - the names that http.server calls


class Emulator:
    """The child process. `url` is where it serves; it changes when the child had to be started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start the child and wait until it serves; nothing happens when it runs."""
        if self.running():
            return
        command = [sys.executable, "-m", "local.gcp.emulator", str(self._folder)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process = process
        port = "" if process.stdout is None else process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the object emulator ended with {process.wait()} before it served")
        self.url = f"http://127.0.0.1:{port}"

    def running(self) -> bool:
        """Tell whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Let the child finish its request and end."""
        if self._process is not None:
            self._process.communicate(timeout=30)  # ends its standard input


def _serve(folder: Path) -> None:
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
