"""One client of a tracking server: logs metrics over one kept connection, as fast as the server answers.

Run as `python -m bench.client URL RUN_ID SECONDS`. It says `ready` once the connection stands, starts when a line comes
in, and prints the calls per second. Standard library only, so that the server is measured and not the client.
"""

import json
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30


def log_metric(connection: HTTPConnection, run_id: str, position: int) -> None:
    """Log one metric; ConnectionError when the server refuses."""
    now = time.time_ns() // 1_000_000
    body = json.dumps({"run_id": run_id, "key": "loss", "value": 1.5, "timestamp": now, "step": position})
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/api/2.0/mlflow/runs/log-metric", body.encode(), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != HTTPStatus.OK:
        raise ConnectionError(f"{answer.status}: {text.decode(errors='replace')}")


def main(url: str, run_id: str, seconds: float) -> None:
    """Log metrics for `seconds`."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)
    log_metric(connection, run_id, 0)
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    calls = 0
    while time.monotonic() < started + seconds:
        calls += 1
        log_metric(connection, run_id, calls)
    print(calls / (time.monotonic() - started))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
