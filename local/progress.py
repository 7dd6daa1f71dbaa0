"""Progress lines of long steps, on standard error, so that standard output stays machine-readable."""

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 15


def say(message: str) -> None:
    """Print one line about what happens now."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Generator[None]:
    """Announce a step, repeat its title while it runs, and say how many seconds it took."""
    say(f"{title} …")
    started = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            say(f"{title} … {time.monotonic() - started:.0f} s")

    heartbeat = threading.Thread(target=beat, daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        done.set()
        heartbeat.join()
    say(f"{title}: done in {time.monotonic() - started:.1f} s")
