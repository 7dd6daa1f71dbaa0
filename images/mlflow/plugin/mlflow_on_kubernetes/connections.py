"""Lets requests wait for a connection to the database, and has clients repeat those that waited in vain.

SQLAlchemy gives up after 30 seconds, and MLflow then answers 400, which no client repeats: a training would end because
a table was locked for a minute. How many connections there are is said in the Dockerfile.

Some requests take a second connection while they hold one, such as those that store spans. If all were held by such
requests, each would wait for another. So the overflow is kept for who holds one already.
"""

import threading
from collections import Counter
from typing import Any

from mlflow.store.db import utils
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as WaitedInVainError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

_HOLDER = "mlflow-on-kubernetes: thread, and whether it is its first"
_PATIENCE_SECONDS = 100  # MLflow's clients wait 120 for an answer


class PatientPool(QueuePool):
    """Connections that requests wait for nearly as long as clients wait for an answer.

    A thread that holds none gets one of `pool_size`; one that holds some, also one of `max_overflow`.
    """

    def __init__(self, *args: Any, timeout: float = _PATIENCE_SECONDS, **options: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        super().__init__(*args, timeout=timeout, **options)
        self._firsts = threading.Semaphore(self.size())
        self._held = Counter[int]()
        self._counting = threading.Lock()

    def connect(self) -> PoolProxiedConnection:
        """Return a connection; OperationalError, which MLflow answers with 503, when none came free in time."""
        thread = threading.get_ident()
        is_first = not self._held[thread]
        if is_first and not self._firsts.acquire(timeout=self.timeout()):
            raise _in_vain(TimeoutError(f"all {self.size()} were in use for {self.timeout()} s"))
        try:
            connection = super().connect()
        except BaseException as error:
            if is_first:
                self._firsts.release()
            if isinstance(error, WaitedInVainError):
                raise _in_vain(error) from error
            raise
        with self._counting:
            self._held[thread] += 1
        connection.info[_HOLDER] = thread, is_first
        return connection

    def _return_conn(self, record: ConnectionPoolEntry) -> None:
        thread, was_first = record.info.pop(_HOLDER, (None, False))
        if thread is not None:
            with self._counting:
                self._held[thread] -= 1
                if not self._held[thread]:
                    del self._held[thread]
        super()._return_conn(record)
        if was_first:
            self._firsts.release()


def _in_vain(error: Exception) -> OperationalError:
    return OperationalError("wait for a connection", None, error)


def wait_for_connections() -> None:
    """Have MLflow make its pools of this kind from now on; MLFLOW_SQLALCHEMYSTORE_POOLCLASS has to name QueuePool."""
    utils.QueuePool = PatientPool  # pyright: ignore[reportPrivateImportUsage]
