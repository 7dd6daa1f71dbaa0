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
        self._store.write_bytes = partial(_write_through, folder / STORAGE_DIR)

    def create_file(self, bucket_name: str, file_name: str, content: bytes, file_obj: Any, file_id: Any = None) -> None:  # noqa: ANN401 - the emulator's own signature
        file_obj["size"] = str(len(content))  # `compose` forgets that Google writes sizes as strings
        super().create_file(bucket_name, file_name, content, file_obj, file_id)

    def _object_path(self, bucket_name: str, file_name: str) -> str:
        return f"{bucket_name}/{hashlib.sha256(file_name.encode()).hexdigest()}"


def _write_through(root: Path, relative: str, content: bytes) -> None:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        if not relative.startswith(RESUMABLE_DIR):  # half an upload may be lost: its client begins again
            os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _BufferedHandler(RequestHandler):
    """Reads the request before, and writes the answer after, its turn: only the storage is used by one at a time."""

    turn = threading.Lock()

    def _handle(self, method: str) -> None:
        connection = self.wfile
        length = int(self.headers.get("Content-Length", 0))
        if length:
            self.rfile = io.BytesIO(self.rfile.read(length))
        self.wfile = io.BytesIO()
        with self.turn:
            Router(self).handle(method)
        connection.write(self.wfile.getbuffer())
        self.wfile = connection

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def do_PUT(self) -> None:
        self._handle("PUT")

    def do_PATCH(self) -> None:
        self._handle("PATCH")

    def do_DELETE(self) -> None:
        self._handle("DELETE")


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
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the object emulator ended with {self._process.wait()} before it served")
        self.url = f"http://127.0.0.1:{port}"

    def running(self) -> bool:
        """Tell whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Let the child finish its request and end."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(timeout=30)


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
