"""Clients that never stop: what they were refused, and whether everything that was confirmed is there."""

import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import cycle
from pathlib import Path

from tests.production.client import Client, ComeAgainError
from tests.production.work import KINDS, Written

CLIENTS = 3
LEAST_EACH = 3
_PAUSE_SECONDS = 0.1


@dataclass
class Load:
    """What clients met so far.

    Attributes:
        failures: what went wrong, a line each.
        written: what the server confirmed.
        done: how often each kind of work was done.
        refused: when the server asked to come again, by the clock of time.monotonic, with its answer.

    """

    failures: list[str] = field(default_factory=list[str])
    written: list[Written] = field(default_factory=list[Written])
    done: dict[str, int] = field(default_factory=lambda: {kind.__name__: 0 for kind in KINDS})
    refused: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    @property
    def outage(self) -> float:
        """Seconds between the first time and the last that somebody was asked to come again."""
        moments = [moment for moment, _ in self.refused]
        return max(moments) - min(moments) if moments else 0


@contextmanager
def constant_load(authority: Path, password: str) -> Generator[Load]:
    """Do every kind of work again and again while the block runs; there must have been enough to mean something."""
    load, done = Load(), threading.Event()

    def work() -> None:
        client = Client(authority, password)
        for kind in cycle(KINDS):
            try:
                made = kind(client)
            except ComeAgainError as error:
                load.refused.append((time.monotonic(), str(error)))
            except (OSError, HTTPException) as error:
                load.failures.append(f"{time.strftime('%H:%M:%S')} {kind.__name__}: {error!r}")
                client.close()
            else:
                load.done[kind.__name__] += 1
                load.written += [made] if made else []
            if done.wait(_PAUSE_SECONDS):
                break
        client.close()

    clients = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        done.set()
        for client in clients:
            client.join()
    assert min(load.done.values()) >= LEAST_EACH, f"only {load.done} were done, which proves nothing"


def lost(load: Load, authority: Path, password: str) -> list[str]:
    """Return what the server had confirmed and does not have."""
    with closing(Client(authority, password)) as client:
        return [each.name for each in load.written if not each.there(client)]
