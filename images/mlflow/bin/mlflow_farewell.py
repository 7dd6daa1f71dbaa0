#!/opt/mlflow/bin/python3
"""Lets clients go to other pods before this one ends: `mlflow-farewell SECONDS`, for a preStop hook.

The server goes on and closes each connection after its next answer. Kubernetes ends it once the seconds are over.
"""

import sys
import time

from mlflow_on_kubernetes import farewell

if __name__ == "__main__":
    farewell.NOTICE.touch()
    time.sleep(int(sys.argv[1]))
