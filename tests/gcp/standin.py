"""The stand-in as a process of its own, and the requests that tests make of it."""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import psycopg
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

Json: TypeAlias = dict[str, Any]

PROJECT = "demo"
PASSWORD = "s3cret'@ü x"  # noqa: S105 - of a database that lives for one test
VERSION = "POSTGRES_18"
DEADLINE_SECONDS = 30
_REPOSITORY = Path(__file__).parents[2]


def poll(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fail naming it when the deadline passes."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {DEADLINE_SECONDS} s"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def state_folder() -> Generator[Path]:
    """Yield a new short folder that PostgreSQL's user can pass through; pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="gcp-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class StandIn:
    """One stand-in; it may be killed and started again over the same state."""

    def __init__(self, folder: Path, addresses: str, *options: str) -> None:
        self.state = folder / "state"
        self.log = folder / "log"
        self.url = f"http://127.0.0.1:{free_port()}"
        self._addresses = addresses
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=30)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Answer the running process."""
        assert self._process is not None
        return self._process

    def command(self, listen: str | None = None) -> list[str]:
        """Answer the command line."""
        address = listen or self.url.removeprefix("http://")
        arguments = ["--state", str(self.state), "--listen", address, "--sql-addresses", self._addresses]
        return [sys.executable, "-m", "local.gcp", *arguments, *self._options]

    def start(self) -> None:
        """Start, and wait until everything serves."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), cwd=_REPOSITORY, stdout=log, stderr=log)
        poll(self.healthy, "the stand-in")

    def healthy(self) -> bool:
        """Tell whether everything serves; fail with the log when the program has ended."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill the stand-in alone, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Stop it as a person would, and answer its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)

    def end(self) -> None:
        """Stop whatever state a test left it in, so that no PostgreSQL server stays behind."""
        if self.process.poll() is not None and list(self.state.glob("sql/*/data/postmaster.pid")):
            self.start()
        if self.process.poll() is None:
            self.stop()
        self.http.close()

    def sql(self, http_method: str, path: str, body: Json | None = None) -> Json:
        """Make a request of Cloud SQL and answer its body, whatever the status."""
        return self.http.request(http_method, f"/sql/v1beta4/projects/{PROJECT}/{path}", json=body).json()

    def done(self, operation: Json) -> Json:
        """Wait for an operation, and answer it."""
        assert "error" not in operation, operation
        path = f"operations/{operation['name']}"
        poll(lambda: self.sql("GET", path)["status"] == "DONE", f"operation {operation['operationType']}")
        return self.sql("GET", path)

    def create(self, name: str, version: str = VERSION, **settings: Any) -> Json:  # noqa: ANN401 - any setting
        """Create an instance with PASSWORD that loopback clients may reach, and answer it when it serves."""
        body = {**instance_body(name, **settings), "databaseVersion": version}
        operation = self.done(self.sql("POST", "instances", body))
        assert "error" not in operation, operation
        if settings.get("backupConfiguration", {}).get("enabled"):
            poll(lambda: self._backed_up(name), f"the first automated backup of {name}")
        return self.sql("GET", f"instances/{name}")

    def _backed_up(self, name: str) -> bool:
        runs = self.sql("GET", f"instances/{name}/backupRuns").get("items", [])
        return "SUCCESSFUL" in [run["status"] for run in runs]

    def postmaster(self) -> int:
        """Answer the process id of the only PostgreSQL server."""
        (file,) = self.state.glob("sql/*/data/postmaster.pid")
        return int(file.read_text().splitlines()[0])

    def programs(self, name: str) -> list[int]:
        """Answer the process ids of the programs of a name that work on this stand-in's state."""
        found: list[int] = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                program, *arguments = (process / "cmdline").read_bytes().decode().split("\0")
                if Path(program).name == name and any(str(self.state) in argument for argument in arguments):
                    found.append(int(process.name))
        return found

    def open_uploads(self) -> int:
        """Answer how many uploads in pieces are open."""
        with contextlib.closing(sqlite3.connect(self.state / "store.sqlite3")) as store:
            return store.execute("SELECT count(*) FROM resources WHERE kind = 'storage.upload'").fetchone()[0]

    def contents(self) -> list[Path]:
        """Answer the files that hold the contents of objects."""
        return list((self.state / "objects").iterdir())

    def kill_postgres(self) -> None:
        """Kill the only PostgreSQL server."""
        os.kill(self.postmaster(), signal.SIGKILL)

    def storage(self) -> storage.Client:
        """Answer Google's own client of Cloud Storage."""
        return storage.Client(
            project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": self.url}
        )


def described(bucket: storage.Bucket, name: str) -> storage.Blob:
    """Answer what an object that has to be there says of itself."""
    blob = bucket.get_blob(name)
    assert blob is not None
    return blob


def instance_body(name: str, **settings: Any) -> Json:  # noqa: ANN401 - any setting
    network = {"ipv4Enabled": True, "sslMode": "ENCRYPTED_ONLY", "authorizedNetworks": [{"value": "127.0.0.1/32"}]}
    return {
        "name": name,
        "databaseVersion": VERSION,
        "region": "asia-southeast1",
        "rootPassword": PASSWORD,
        "settings": {"tier": "db-custom-2-3840", "edition": "ENTERPRISE", "ipConfiguration": network, **settings},
    }


def address(instance: Json) -> str:
    return instance["ipAddresses"][0]["ipAddress"]


def connect(instance: Json, **changes: str) -> psycopg.Connection:
    """Connect as a client would: over TCP, as postgres, over TLS."""
    parameters = {"user": "postgres", "dbname": "postgres", "password": PASSWORD, "sslmode": "require", **changes}
    return psycopg.connect(host=address(instance), autocommit=True, connect_timeout=10, **parameters)  # type: ignore[arg-type]


def query(instance: Json, statement: str, **changes: str) -> list[tuple[Any, ...]]:
    """Connect, run one statement and answer its rows."""
    with connect(instance, **changes) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def started(addresses: str, *options: str) -> Generator[StandIn]:
    """Yield a stand-in that runs, with database servers at `addresses`."""
    with state_folder() as folder:
        standin = StandIn(folder, addresses, *options)
        standin.start()
        try:
            yield standin
        finally:
            standin.end()
