#!/opt/mlflow/bin/python3 -IS
"""Tell whether the server and its database answer: `mlflow-ready PORT`, for a readiness probe.

The server's own /ready says whether the database's tables fit its release, as it saw them last. Whether the database
answers now is asked here, by libpq, which alone knows all that the PG* variables may say. It is called through ctypes,
and HTTP is spoken here, because a probe runs every few seconds: importing psycopg and http.client takes six times the
CPU time of all that is done here.

Status 0: both answer. Status 1: one does not; a line on stderr says which. Each wait is 3 seconds at most.
"""

import _socket
import ctypes
import os
import sys

_SECONDS = 3
_CONNECTION = b"connect_timeout=3 tcp_user_timeout=3000 options='-c statement_timeout=3000'"
_CONNECTION_OK, _TUPLES_OK = 0, 2  # ConnStatusType and ExecStatusType of libpq
# It answers, and the server has connections of its own: when it is full (too many clients, too many connections for
# role, remaining slots), and when the password was just changed, until pods with the new one take over.
_ANSWERS = (b"too many c", b"connection slots", b"password authentication failed")


def main() -> int:
    """Ask both and return the exit status."""
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():  # noqa: PLR2004 - the program and its argument
        return _refuse(f"arguments {sys.argv[1:]}: give the port of the server, as in `mlflow-ready 5000`")
    port, libpq = int(sys.argv[1]), _libpq()
    try:
        _ask_server(port)
    except OSError as error:
        return _refuse(f"the server does not answer http://127.0.0.1:{port}/ready: {error}")
    try:
        _ask_database(libpq)
    except OSError as error:
        return _refuse(f"the database does not answer: {error}")
    return 0


def _refuse(reason: str) -> int:
    print("mlflow-ready:", " ".join(reason.split()), file=sys.stderr)  # noqa: T201 - that is what it is for
    return 1


def _ask_server(port: int) -> None:
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.settimeout(_SECONDS)
    try:
        connection.connect(("127.0.0.1", port))
        connection.send(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = connection.recv(64).split(b"\r\n")[0]
    finally:
        connection.close()
    if b" 200 " not in status + b" ":
        raise OSError(status.decode(errors="replace") or "the connection was closed")


def _ask_database(libpq: ctypes.CDLL) -> None:
    connection = libpq.PQconnectdb(_CONNECTION)
    try:
        if libpq.PQstatus(connection) != _CONNECTION_OK:
            reason: bytes = libpq.PQerrorMessage(connection)
            if any(words in reason for words in _ANSWERS):
                return
            raise OSError(reason.decode(errors="replace"))
        result = libpq.PQexec(connection, b"SELECT 1")
        if libpq.PQresultStatus(result) != _TUPLES_OK:
            raise OSError(libpq.PQerrorMessage(connection).decode(errors="replace"))
    finally:
        libpq.PQfinish(connection)


def _libpq() -> ctypes.CDLL:
    """Return the libpq that psycopg brings."""
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # Without pathlib, which takes as long to import as all else that is imported here.
    folder = f"{os.path.dirname(sys.executable)}/../lib/{python}/site-packages/psycopg_binary.libs"  # noqa: PTH120
    name = next(name for name in os.listdir(folder) if name.startswith("libpq-"))  # noqa: PTH208
    libpq = ctypes.CDLL(f"{folder}/{name}")
    for function, result in (("PQconnectdb", ctypes.c_void_p), ("PQexec", ctypes.c_void_p)):
        getattr(libpq, function).restype = result
    for function in ("PQstatus", "PQerrorMessage", "PQexec", "PQresultStatus", "PQfinish"):
        getattr(libpq, function).argtypes = [ctypes.c_void_p, ctypes.c_char_p][: 2 if function == "PQexec" else 1]
    libpq.PQerrorMessage.restype = ctypes.c_char_p
    return libpq


if __name__ == "__main__":
    sys.exit(main())
