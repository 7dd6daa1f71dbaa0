#!/opt/mlflow/bin/python3
"""Serves the metrics that `mlflow server --expose-prometheus FOLDER` writes: `mlflow-metrics FOLDER PORT`.

The server's own /metrics wants the administrator's password and an allowed host; Prometheus comes by the pod's address
and should have neither. It is a port of its own, so that no Service or Ingress leads to it.
"""

# pyright: reportMissingImports=false, reportUnknownVariableType=false
# Only the image has prometheus_client.

import signal
import sys
from pathlib import Path
from types import FrameType

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector


def main() -> int:
    """Serve until asked to stop and return the exit status."""
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():  # noqa: PLR2004 - the program and its arguments
        print("mlflow-metrics: give a folder and a port, as in `mlflow-metrics /metrics 9090`", file=sys.stderr)  # noqa: T201 - what it is for
        return 1
    # The first process of a container ignores signals that it does not handle.
    signal.signal(signal.SIGTERM, _end)
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)  # the server may be slower to start
    registry = CollectorRegistry()
    MultiProcessCollector(registry, sys.argv[1])
    start_http_server(int(sys.argv[2]), registry=registry)
    while True:
        signal.pause()


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
