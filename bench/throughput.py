"""Calls per second that clients get of each server, in rounds that alternate between the servers.

Many short rounds: in each, connections are made anew and fall on the workers as chance has it.
"""

from collections import defaultdict
from collections.abc import Mapping

from bench.figures import Figure, Reach, at_least, ratio
from bench.load import rate
from local.progress import say, step

ROUNDS = 9
SECONDS = 2.0
NODE_PORT, BARE, PLAIN = "through the NodePort", "the same server bare", "a plain install"


def measure(urls: Mapping[str, str]) -> list[Figure]:
    """Return the ratios between the servers NODE_PORT, BARE and PLAIN at `urls`."""
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    for url in urls.values():
        rate(url, 4, 1)  # what is loaded with a first request is not measured
    with step(f"throughput: {ROUNDS} rounds of {SECONDS:g} s for each server"):
        for _ in range(ROUNDS):
            for clients in (1, 4):
                for server, url in urls.items():
                    rates[server, clients].append(rate(url, clients, SECONDS))
    for (server, clients), found in sorted(rates.items()):
        say(f"  {server}, {clients} clients: {', '.join(f'{calls:.0f}' for calls in found)} calls/s")

    def compared(other: str, clients: int, reach: Reach | None) -> Figure:
        measure = f"log-metric calls {NODE_PORT} over {other}, {clients} client{'s' if clients > 1 else ''}"
        return ratio(measure, rates[NODE_PORT, clients], rates[other, clients], reach, "calls/s")

    return [
        compared(BARE, 1, None),
        compared(BARE, 4, at_least(0.9)),
        compared(PLAIN, 1, at_least(4)),
        compared(PLAIN, 4, at_least(2.5)),
    ]
