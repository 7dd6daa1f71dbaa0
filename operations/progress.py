"""Progress lines of long steps, on standard error, so that standard output stays machine-readable."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

_SILENCE_SECONDS = 15


def say(message: str) -> None:
    """Print one line about what happens now."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Generator[Callable[[str], None]]:
    """Announce a step and say how many seconds it took.

    Yields what the step calls as often as it likes to tell how far it is; a line is printed now and then.
    """
    say(f"{title} …")
    started = last = time.monotonic()

    def still(how_far: str = "") -> None:
        nonlocal last
        if time.monotonic() - last > _SILENCE_SECONDS:
            last = time.monotonic()
            say(f"{title} … {last - started:.0f} s{how_far and ', '}{how_far}")

    yield still
    say(f"{title}: done in {time.monotonic() - started:.1f} s")


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << power:
            return f"{count / (1 << power):.1f} {unit}"
    return f"{count} bytes"
