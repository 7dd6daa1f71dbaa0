"""Lets requests wait for a connection to the database, and has clients repeat those that waited in vain.

SQLAlchemy gives up after 30 seconds, and MLflow then answers 400, which no client repeats: a training would end because
a table was locked for a minute. How many connections there are is said in the Dockerfile.
"""

from typing import Any

from mlflow.store.db import utils
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as WaitedInVainError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

_PATIENCE_SECONDS = 100  # MLflow's clients wait 120 for an answer


class PatientPool(QueuePool):
    """Connections that requests wait for nearly as long as clients wait for an answer."""

    def __init__(self, *args: Any, timeout: float = _PATIENCE_SECONDS, **options: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        super().__init__(*args, timeout=timeout, **options)

    def connect(self) -> PoolProxiedConnection:
        """Return a connection; OperationalError, which MLflow answers with 503, when none came free in time."""
        try:
            return super().connect()
        except WaitedInVainError as error:
            raise OperationalError("wait for a connection", None, error) from error


def wait_for_connections() -> None:
    """Have MLflow make its pools of this kind from now on; MLFLOW_SQLALCHEMYSTORE_POOLCLASS has to name QueuePool."""
    utils.QueuePool = PatientPool  # pyright: ignore[reportPrivateImportUsage]
