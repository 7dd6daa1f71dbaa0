"""Slow lines: a relay that passes so many bytes a second on, in each direction."""

import contextlib
import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_PIECE = 1 << 14
_MOST_CONNECTIONS = 32


@contextlib.contextmanager
def slow(url: str, rate: int) -> Generator[str]:
    """Yield another address of the server at `url`, reached over lines of `rate` bytes a second each."""
    place = urlsplit(url)
    target = (place.hostname or "", place.port or 80)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as lines:
        # What a line keeps on the way is little.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE)
        lines.submit(_accept, listener, target, rate)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, target: tuple[str, int], rate: int) -> None:
    with ThreadPoolExecutor(_MOST_CONNECTIONS) as connections, contextlib.suppress(OSError):  # until the block ends
        while True:
            connections.submit(_relay, listener.accept()[0], target, rate)


def _relay(near: socket.socket, target: tuple[str, int], rate: int) -> None:
    with near, socket.create_connection(target) as far, ThreadPoolExecutor() as back:
        back.submit(_pass_on, far, near, rate)
        _pass_on(near, far, rate)


def _pass_on(source: socket.socket, sink: socket.socket, rate: int) -> None:
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIECE)
    due = time.monotonic()
    with contextlib.suppress(OSError):  # one end has gone, and so does the other
        while piece := source.recv(_PIECE):
            due = max(due, time.monotonic()) + len(piece) / rate
            time.sleep(max(0, due - time.monotonic()))
            sink.sendall(piece)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
