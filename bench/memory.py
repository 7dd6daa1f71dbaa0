"""Memory of the server's pod: at rest, and the most that it takes under load."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from bench.figures import Figure, at_most
from bench.pod import MIB, Container

LIMIT_MIB = 1024
INTERVAL_SECONDS = 1.0


def at_rest(pod: Container, workers: int, limit: float) -> Figure:
    """Return what the pod takes now; `limit` in MiB."""
    memory = pod.memory()
    measure = f"memory of the pod at rest, {workers} worker{'s' if workers > 1 else ''} (PSS)"
    details = f"working set {memory.working_set / MIB:.0f}"
    return Figure(measure=measure, value=memory.pss / MIB, unit="MiB", reach=at_most(limit), details=details)


@contextmanager
def watched(pod: Container) -> Generator[list[Figure]]:
    """Look at the pod's memory while the block runs; afterwards the list holds the most that was seen."""
    seen = [pod.memory()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(INTERVAL_SECONDS):
            seen.append(pod.memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    figures: list[Figure] = []
    try:
        yield figures
    finally:
        done.set()
        watcher.join()
    most = max(max(memory.pss, memory.working_set) for memory in seen)
    details = f"{most / MIB:.0f} MiB, the larger of PSS and working set, of {LIMIT_MIB}"
    measure = "memory of the pod under that load, of its limit"
    figures.append(
        Figure(measure=measure, value=100 * most / MIB / LIMIT_MIB, unit="%", reach=at_most(80), details=details)
    )
