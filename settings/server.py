"""What the tracking server itself needs: counts, memory for its workers, and addresses of stand-ins."""

import math
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from urllib.parse import urlsplit

_MIB = 2**20
_BASE_MIB = 220
_WORKER_MIB = 200
TRANSFERS = 8
"""Artifacts that a worker takes or sends at a time: AT_A_TIME of the plugin's `transfers`."""
_TRANSFER_MIB = 18
_MOST_PROCESSES = 2**22
_SHARE = Decimal("0.9")


def generation(value: int) -> str | None:
    """Hold a count against 1, and what leaves room for a name before it in PostgreSQL's 63 characters."""
    return None if 1 <= value < 10**9 else "write a whole number of at least 1, one more than before"


def workers(value: int) -> str | None:
    """Hold a number of processes against 1 and what Linux has numbers for (PID_MAX_LIMIT)."""
    return None if 1 <= value <= _MOST_PROCESSES else f"write 1 to {_MOST_PROCESSES}; a node can have no more processes"


def retention(value: str) -> str | None:
    """Hold a time against what `mlflow gc --older-than` takes and can subtract from a date."""
    if re.fullmatch(r"(?=.*[1-9])([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?", value):
        return None
    return "write days, hours, minutes and seconds, such as 30d or 12h"


def one_of(choices: Collection[str]) -> Callable[[str], str | None]:
    """Return the rule that a value is one of the choices."""
    return lambda value: None if value in choices else f"write {' or '.join(choices)}"


def not_empty(remedy: str) -> Callable[[str], str | None]:
    """Return the rule that a value is there, with the remedy where it is not."""
    return lambda value: None if value else remedy


def url(value: str) -> str | None:
    """Hold an address against http(s)://host[:port][/path]."""
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and " " not in value
    except ValueError:
        sound = False
    return None if sound else "it is not a URL; write one such as http://127.0.0.1:4443"


def least_memory(workers: int) -> int:
    """Return the least memory limit (MiB) of a pod.

    Measured with MLflow 3.17 and its job runner off: 220 MiB, and for each worker 200 MiB and 18 MiB for each of the 8
    artifacts that it takes or sends at a time. That may be 90 % of the limit at most; the rest is for other requests.
    """
    return math.ceil((_BASE_MIB + (_WORKER_MIB + TRANSFERS * _TRANSFER_MIB) * workers) / _SHARE)


def memory_for_workers(limit: Decimal, workers: int) -> str | None:
    """Hold a memory limit (bytes) against what the server takes at work."""
    least = least_memory(workers)
    if least * _MIB <= limit:
        return None
    return (
        f"too little for {workers} worker(s), each of which may have {TRANSFERS} artifacts on their way; write"
        f" {least}Mi or more, or ask for fewer workers (mlflow:workers)"
    )
