"""All measurements in one run: `python -m bench` prints one table and writes it to artifacts/bench.md."""

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from bench import first_run, image_size, installation, memory, plain, preview, servers, throughput
from bench.figures import Figure, table
from bench.load import rate
from bench.pod import container
from local.errors import UserError
from local.image import build
from local.progress import say
from tests.image.container import unpack
from tests.scratch import PROJECT

MOST_SECONDS = 15 * 60
WORKERS = 2
COLD = "Cold `make up` takes too long to be part of this: `XDG_CACHE_HOME=$(mktemp -d) make up` prints where time goes."


def main() -> int:
    """Measure; return 0 also where a figure misses what it should reach."""
    signal.signal(signal.SIGTERM, _end)
    figures: list[Figure] = []
    try:
        with installation.copy() as project:
            plain.server()
            plain.same_features()
            installation.make(project, "up")  # builds what is missing, which is not measured
            installation.make(project, "down")
            with _at_most(MOST_SECONDS):
                figures += first_run.measure(project)
                _measure_running(installation.running(project), figures)
    except UserError as error:
        say(f"error: {error}")
        return 1
    finally:
        _report(figures)
    return 0


def _end(*_: object) -> None:
    """End as if the program had been left by itself, so that the instance is removed."""
    sys.exit("ended from outside")


def _measure_running(running: installation.Installation, figures: list[Figure]) -> None:
    figures.append(memory.at_rest(container(running), 1, 450))
    running.set_workers(WORKERS)
    rate(running.tracking_uri, clients=4, seconds=2)  # a server that was never asked takes less memory
    pod = container(running)
    figures.append(memory.at_rest(pod, WORKERS, 650))
    image = unpack(build().tar, running.folder / "root")
    figures += image_size.measure(image)
    with (
        servers.bare(running, pod, image) as bare,
        servers.plain(running, pod, WORKERS) as plainly,
        memory.watched(pod) as under_load,
    ):
        urls = {throughput.NODE_PORT: running.tracking_uri, throughput.BARE: bare, throughput.PLAIN: plainly}
        figures += throughput.measure(urls)
    figures += under_load
    figures += preview.measure(running)  # last: a node has much to do of its own in its first minutes


@contextmanager
def _at_most(seconds: int) -> Generator[None]:
    """End the block with a UserError when it takes longer."""

    def give_up(*_: object) -> None:
        raise UserError(f"the measurements took more than {seconds} s and were given up: is the machine busy?")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _report(figures: list[Figure]) -> None:
    text = f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.\n\n{table(figures)}\n\n{COLD}\n"
    artifacts = PROJECT / "artifacts"
    artifacts.mkdir(exist_ok=True)
    (artifacts / "bench.md").write_text(text)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
