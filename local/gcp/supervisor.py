"""Keeps what should run running: the PostgreSQL servers of the instances, and automated backups.

A server that is already there (it outlives a killed stand-in) is taken over; one that has died is started again.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from local.gcp.errors import OperationFailedError
from local.gcp.postgres import Server
from local.gcp.sql_instances import Instances
from local.gcp.sql_schedule import Schedule

log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 2


class Supervisor:
    """Looks after the children of one stand-in, from `start` to `stop`."""

    def __init__(self, instances: Instances, schedule: Schedule) -> None:
        self._instances = instances
        self._schedule = schedule
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start or take over every server, then watch."""
        self._look_after()
        self._thread.start()

    def stop(self) -> None:
        """Stop everything cleanly: PostgreSQL by fast shutdown."""
        self._ending.set()
        self._thread.join()
        with ThreadPoolExecutor() as pool:
            list(pool.map(_stop, self._instances.servers()))

    def failing(self) -> list[str]:
        """Answer what should serve and does not."""
        return [f"instance {name}" for _, name, server in self._instances.runnable() if not server.serving()]

    def _watch(self) -> None:
        while not self._ending.wait(_INTERVAL_SECONDS):
            try:
                self._look_after()
                self._schedule.begin_due()
            except Exception:
                log.exception("looking after the servers failed, trying again")

    def _look_after(self) -> None:
        for project, name, server in self._instances.runnable():
            if self._instances.operations.busy(project, name) or server.serving():
                continue
            log.info("starting instance %s on %s", name, ", ".join(server.addresses))
            try:
                server.start()
            except OperationFailedError as error:
                log.error("instance %s does not start, trying again: %s", name, error.message)  # noqa: TRY400 - the message is whole


def _stop(server: Server) -> None:
    try:
        server.stop()
    except OperationFailedError as error:
        log.error("PostgreSQL on %s does not stop: %s", ", ".join(server.addresses), error.message)  # noqa: TRY400 - whole
