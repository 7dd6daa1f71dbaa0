#!/opt/mlflow/bin/python3
"""Starts MLflow's server and becomes it: `mlflow-serve OPTIONS`, those of `mlflow server`.

`mlflow server` stays beside the web server that it starts, takes 150 MiB, and ends with status 0 when the kernel killed
that one for its memory: Kubernetes would say `Completed`, and nobody would hear of it.
"""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from mlflow import server
from mlflow.cli import cli
from mlflow_on_kubernetes import farewell, waiting


def become(command: list[str], *, extra_env: Mapping[str, str], **_: object) -> NoReturn:
    """Go on as another program; stands in for MLflow's function that starts one."""
    os.execvpe(command[0], command, {**os.environ, **extra_env})  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    setattr(server, "_exec_cmd", become)  # noqa: B010 - private, and there is no other way
    farewell.NOTICE.unlink(missing_ok=True)  # a container that starts again in its pod
    waiting.until_tables_fit(sys.argv[1:])
    sys.exit(cli(["server", *sys.argv[1:]]))
