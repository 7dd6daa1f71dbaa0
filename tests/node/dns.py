"""The least of the DNS protocol (RFC 1035) that lets a test ask a server, and be one."""

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager

NO_ERROR, NO_SUCH_NAME = 0, 3
ANSWER = "192.0.2.7"


def ask(address: str, port: int, name: str) -> tuple[int, list[str]]:
    """Ask for a name's IPv4 addresses; return the response code and the addresses."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(
            struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1), (address, port)
        )
        message = client.recv(4096)
    _, flags, _, answers, _, _ = struct.unpack(">6H", message[:12])
    position = 12 + len(labels) + 1 + 4
    found: list[str] = []
    for _ in range(answers):
        position = _after_name(message, position)
        kind, _, _, length = struct.unpack(">2HIH", message[position : position + 10])
        data = message[position + 10 : position + 10 + length]
        position += 10 + length
        if kind == 1:
            found.append(socket.inet_ntoa(data))
    return flags & 0xF, found


def _after_name(message: bytes, position: int) -> int:
    while (length := message[position]) and length < 0xC0:
        position += 1 + length
    return position + (2 if length else 1)


@contextmanager
def server(address: str) -> Generator[tuple[int, list[str]]]:
    """Answer every name over TCP with ANSWER; give the port and the growing list of who asked."""
    askers: list[str] = []
    with socket.create_server((address, 0)) as listener:
        threading.Thread(target=_serve, args=(listener, askers), daemon=True).start()
        yield listener.getsockname()[1], askers
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, askers: list[str]) -> None:
    while True:
        try:
            connection, (peer, _) = listener.accept()
        except OSError:  # the listener was closed: the test is over
            return
        askers.append(peer)
        with connection:
            message = connection.recv(4096)[2:]
            question = message[12 : _after_name(message, 12) + 4]
            header = message[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0)
            record = b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 0, 4) + socket.inet_aton(ANSWER)
            reply = header + question + record
            connection.sendall(struct.pack(">H", len(reply)) + reply)
