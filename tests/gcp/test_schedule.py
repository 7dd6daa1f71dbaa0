"""After the first one, an automated backup is begun once a day, in the window that was asked for."""

from datetime import datetime
from unittest.mock import create_autospec

import pytest

from local.gcp import sql_schedule
from local.gcp.sql_backups import Backups
from local.gcp.sql_instances import Instances
from local.gcp.sql_operations import SqlOperations
from local.gcp.sql_schedule import Schedule
from tests.gcp.standin import Json

PATH = {"project": "demo", "instance": "scheduled"}


def backed_up(now: str, *times: str) -> list[Json]:
    """Return what is begun, and removed, at a time of an instance that was backed up at others; it keeps two."""
    configured = {"enabled": True, "startTime": "03:00", "backupRetentionSettings": {"retainedBackups": 2}}
    instances, backups = create_autospec(Instances, instance=True), create_autospec(Backups, instance=True)
    instances.operations = create_autospec(SqlOperations, instance=True)
    instances.operations.busy.return_value = False
    instances.runnable.return_value = [("demo", "scheduled", None)]
    instances.find.return_value = {"instance": {"settings": {"backupConfiguration": configured}}}
    backups.automated.return_value = [{"enqueuedTime": each} for each in times]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_schedule, "_now", lambda: datetime.fromisoformat(now))
        Schedule(instances, backups).begin_due()
    return [*(call.args[1] for call in backups.start.mock_calls), *(call.args[0] for call in backups.remove.mock_calls)]


def test_the_next_one_waits_for_its_window() -> None:
    assert backed_up("2026-01-02T02:59:00Z", "2026-01-01T03:00:01.000Z") == []
    assert backed_up("2026-01-02T03:00:00Z", "2026-01-01T03:00:01.000Z") == [{"type": "AUTOMATED"}]
    assert backed_up("2026-01-02T04:00:00Z", "2026-01-02T03:00:02.000Z") == []


def test_the_oldest_are_removed() -> None:
    kept = ["2026-01-03T03:00:01.000Z", "2026-01-02T03:00:01.000Z"]

    assert backed_up("2026-01-03T12:00:00Z", *kept, "2026-01-01T03:00:01.000Z") == [
        {"enqueuedTime": "2026-01-01T03:00:01.000Z"}
    ]
