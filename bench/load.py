"""Load on a tracking server: clients in processes of their own that begin together."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import httpx

from tests.scratch import PROJECT

PATIENCE_SECONDS = 60


def new_run(url: str) -> str:
    """Start a run of the default experiment and return its id."""
    body = {"experiment_id": "0", "start_time": time.time_ns() // 1_000_000}
    answer = httpx.post(f"{url}/api/2.0/mlflow/runs/create", json=body, timeout=PATIENCE_SECONDS).raise_for_status()
    return str(answer.json()["run"]["info"]["run_id"])


def rate(url: str, clients: int, seconds: float) -> float:
    """Return the log-metric calls per second that `clients` get in all, each with a connection and a run of its own."""
    with ExitStack() as stack:
        processes = [stack.enter_context(_client(url, seconds)) for _ in range(clients)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "a client could not log its first metric"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return sum(float(process.communicate(timeout=seconds + PATIENCE_SECONDS)[0]) for process in processes)


@contextmanager
def _client(url: str, seconds: float) -> Generator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "bench.client", url, new_run(url), str(seconds)]
    with subprocess.Popen(argv, cwd=PROJECT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
