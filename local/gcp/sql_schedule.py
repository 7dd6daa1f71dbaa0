"""Automated backups, as Cloud SQL makes them by itself: one soon after an instance is made, then one a day.

The window of four hours that Cloud SQL takes for one begins with `startTime`; here it is made when the window begins.
"""

import logging
from datetime import UTC, datetime, time
from typing import Any, TypeAlias

from local.gcp.errors import ApiError
from local.gcp.sql_backups import Backups
from local.gcp.sql_instances import Instances

Json: TypeAlias = dict[str, Any]

log = logging.getLogger(__name__)


class Schedule:
    """Begins what is due; asked again and again."""

    def __init__(self, instances: Instances, backups: Backups) -> None:
        self._instances = instances
        self._backups = backups

    def begin_due(self) -> None:
        """Begin the backup of every instance that waits for one and is at nothing else."""
        for project, name, _ in self._instances.runnable():
            path = {"project": project, "instance": name}
            configured: Json = self._instances.find(path)["instance"]["settings"]["backupConfiguration"]
            if not configured["enabled"] or self._instances.operations.busy(project, name):
                continue
            made = self._backups.automated(path)
            if not made or _is_due(made[0]["enqueuedTime"], configured["startTime"]):
                self._begin(path)
            kept = int(configured["backupRetentionSettings"]["retainedBackups"])
            for record in made[kept:]:
                self._backups.remove(record)

    def _begin(self, path: dict[str, str]) -> None:
        try:
            self._backups.start(path, {"type": "AUTOMATED"})
        except ApiError as error:  # somebody was faster, and it is begun next time
            log.info("automated backup of %s: %s", path["instance"], error.message)


def _is_due(last: str, start: str) -> bool:
    """Tell whether a window has begun since the last backup, given its time and the window's start, such as 23:00."""
    now = _now()
    window = datetime.combine(now, time.fromisoformat(start), UTC)
    return datetime.fromisoformat(last) < window <= now


def _now() -> datetime:
    return datetime.now(UTC)
