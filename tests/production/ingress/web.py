"""Both ends of the way through the ingress: a client that asks the node for any host, and a server behind a Service."""

import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class KeyPair:
    """A certificate that is its own authority, and its key, as files."""

    certificate: Path
    key: Path


def key_pair(folder: Path, host: str, name: str = "first") -> KeyPair:
    """Make a certificate for a host."""
    made = KeyPair(folder / f"{host}-{name}.crt", folder / f"{host}-{name}.key")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]
    names = ["-subj", f"/CN={host} {name}", "-addext", f"subjectAltName=DNS:{host}"]
    files = ["-keyout", made.key, "-out", made.certificate]
    subprocess.run(["openssl", "req", "-x509", *curve, *names, *files], check=True, capture_output=True)
    return made


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as an object."""
        return json.loads(self.body)


class SecureConnection(http.client.HTTPConnection):
    """HTTPS to an address, for a host of another name."""

    def __init__(self, address: str, host: str, trust: Path) -> None:
        super().__init__(address, 443, timeout=TIMEOUT_SECONDS)
        self._name = host
        self._trust = ssl.create_default_context(cafile=trust)

    def connect(self) -> None:
        """Connect, and check that the other end has the host's certificate."""
        super().connect()
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=self._name)


def ask(
    connection: http.client.HTTPConnection,
    host: str,
    path: str = "/",
    method: str = "GET",
    body: bytes | Iterable[bytes] | None = None,
) -> Answer:
    """Send one request for a host; the connection stays open."""
    connection.request(method, path, body=body, headers={"Host": host})
    answer = connection.getresponse()
    return Answer(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())


def ask_plainly(address: str, host: str, path: str = "/") -> Answer:
    """Ask over plain HTTP."""
    with closing(http.client.HTTPConnection(address, 80, timeout=TIMEOUT_SECONDS)) as connection:
        return ask(connection, host, path)


@dataclass(frozen=True)
class Site:
    """A host that is served over TLS.

    Attributes:
        address: where.
        host: its name.
        trust: the one certificate that is trusted.

    """

    address: str
    host: str
    trust: Path

    def connection(self) -> SecureConnection:
        """Return a connection of its own."""
        return SecureConnection(self.address, self.host, self.trust)

    def get(self, path: str = "/") -> Answer:
        """Ask for a path."""
        with closing(self.connection()) as connection:
            return ask(connection, self.host, path)

    def post(self, path: str, body: bytes | Iterable[bytes]) -> Answer:
        """Post to a path."""
        with closing(self.connection()) as connection:
            return ask(connection, self.host, path, "POST", body)


def certificate_of(address: str, host: str) -> str:
    """Return the certificate that is shown for a host."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address, 443), timeout=TIMEOUT_SECONDS) as plain,
        anybody.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")


class Backend(ThreadingHTTPServer):
    """Answers with what it was asked; a request for /slow only once `released` is set.

    Attributes:
        begun: set when the first bytes of a body, or a request for /slow, have arrived.
        connections: how many there were.
        ages: of each request, the seconds since its connection was made.


    """

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.begun, self.released = threading.Event(), threading.Event()
        self.connections = 0
        self.ages: list[float] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Backend  # pyright: ignore[reportIncompatibleVariableOverride] - it is made by no other

    def setup(self) -> None:
        super().setup()
        self._made = time.monotonic()
        self.server.connections += 1

    def do_GET(self) -> None:

        if self.path == "/slow":
            self.server.begun.set()
            assert self.server.released.wait(TIMEOUT_SECONDS)
        self._answer(0)

    def do_POST(self) -> None:
        received = 0
        for size in self._chunks():
            received += len(self.rfile.read(size))
            self.server.begun.set()
        self._answer(received)

    def _chunks(self) -> Iterable[int]:
        """Return the sizes in which the body comes."""
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            yield (size := min(left, 65536))
            left -= size
        while self.headers.get("Transfer-Encoding") == "chunked" and (size := int(self.rfile.readline() or b"0", 16)):
            yield size
            self.rfile.readline()

    def _answer(self, received: int) -> None:
        self.server.ages.append(time.monotonic() - self._made)

        said = {"path": self.path, "received": received, "headers": {k.lower(): v for k, v in self.headers.items()}}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Print nothing."""


@contextmanager
def backend(address: str) -> Generator[Backend]:
    """Serve on an address of this machine."""
    with Backend(address) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
