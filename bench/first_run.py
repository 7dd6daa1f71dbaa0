"""How long a person waits for a first tracked run, with everything built."""

from bench.figures import Figure, at_most
from bench.installation import timed_first_run
from tests.scratch import Scratch


def measure(project: Scratch) -> list[Figure]:
    """Return the seconds from `make up` to the end of a client's first run; leaves the installation running."""
    up, client = timed_first_run(project)
    measure = "warm `make up` after `make down` to the first tracked run"
    details = f"`make up` {up:.1f} s, the client with its imports {client:.1f} s"
    return [Figure(measure=measure, value=up + client, unit="s", reach=at_most(100), details=details)]
