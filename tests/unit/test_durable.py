"""What a durable stack adds to database and buckets, so that no data is lost, and what it takes to delete it."""

from typing import Any

import pytest

from tests.unit.conftest import Run
from tests.unit.engine import Registration

DATA = {"Database", "DatabaseInstance", "Bucket"}
UNPROTECTED = {"mlflow:deletionProtection": False}
LAPTOP = {"mlflow:databaseUser": "mlflow"}
# CIS Google Cloud Platform Foundation Benchmark, 6.2.1 to 6.2.8
CIS = {
    "cloudsql.enable_pgaudit": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_error_verbosity": "default",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
}


def data(run: Run, changes: dict[str, Any] | None = None, *, stack: str = "prod") -> dict[str, Registration]:
    """Return what holds data, by type and name."""
    made = run(changes, stack=stack).registrations
    return {f"{each.type.rpartition(':')[2]} {each.name}": each for each in made if each.type.split(":")[-1] in DATA}


def settings(run: Run, changes: dict[str, Any] | None = None, *, stack: str = "prod") -> dict[str, Any]:
    return run(changes, stack=stack).only("DatabaseInstance").inputs["settings"]


def test_a_durable_stack_keeps_its_data_in_these_resources(run: Run) -> None:
    assert set(data(run)) == {
        "Database mlflow-tracking",
        "DatabaseInstance mlflow-tracking",
        "Bucket mlflow-tracking",
        "Bucket mlflow-tracking-backups",
    }


def test_pulumi_refuses_to_delete_what_holds_data(run: Run) -> None:
    assert [name for name, each in data(run).items() if not each.protect] == []


def test_google_refuses_to_delete_the_instance_whoever_asks(run: Run) -> None:
    instance = run(stack="prod").only("DatabaseInstance").inputs

    assert instance["deletionProtection"] is True
    assert instance["settings"]["deletionProtectionEnabled"] is True


def test_the_first_step_to_take_a_stack_down_lifts_all_protection(run: Run) -> None:
    instance = run(UNPROTECTED, stack="prod").only("DatabaseInstance").inputs

    assert [name for name, each in data(run, UNPROTECTED).items() if each.protect] == []
    assert instance["deletionProtection"] is False
    assert instance["settings"]["deletionProtectionEnabled"] is False


def test_without_protection_the_data_of_a_durable_stack_outlives_it_all_the_same(run: Run) -> None:
    kept = data(run, UNPROTECTED)

    assert {name for name, each in kept.items() if each.retain_on_delete} == set(kept) - {
        "DatabaseInstance mlflow-tracking"
    }
    assert not [name for name, each in kept.items() if each.inputs.get("forceDestroy")]
    instance = kept["DatabaseInstance mlflow-tracking"].inputs["settings"]
    assert instance["finalBackupConfig"]["enabled"] is True
    assert instance["finalBackupConfig"]["retentionDays"] >= 30
    assert instance["retainBackupsOnDelete"] is True


@pytest.mark.parametrize("stack", ["dev", "local"])
def test_destroying_another_stack_cleans_up_completely(run: Run, stack: str) -> None:
    made = data(run, LAPTOP, stack=stack)

    assert set(made) == {"Database mlflow-tracking", "DatabaseInstance mlflow-tracking", "Bucket mlflow-tracking"}
    assert [name for name, each in made.items() if each.protect or each.retain_on_delete] == []
    assert made["Bucket mlflow-tracking"].inputs["forceDestroy"] is True
    assert made["DatabaseInstance mlflow-tracking"].inputs["deletionProtection"] is False
    assert "deletionProtectionEnabled" not in settings(run, LAPTOP, stack=stack)


def test_the_database_survives_the_loss_of_a_zone(run: Run) -> None:
    assert settings(run)["availabilityType"] == "REGIONAL"


def test_the_database_can_be_brought_back_to_any_moment_of_a_week(run: Run) -> None:
    backups = settings(run)["backupConfiguration"]

    assert backups["enabled"] is True
    assert backups["pointInTimeRecoveryEnabled"] is True
    assert backups["transactionLogRetentionDays"] == 7
    assert backups["backupRetentionSettings"]["retainedBackups"] >= 7


def test_the_database_logs_what_cis_asks_for(run: Run) -> None:
    flags = {flag["name"]: flag["value"] for flag in settings(run)["databaseFlags"]}

    assert flags | CIS == flags


def test_the_database_tells_which_queries_are_slow_and_whose_they_are(run: Run) -> None:
    insights = settings(run)["insightsConfig"]

    assert insights["queryInsightsEnabled"] is True
    assert insights["recordApplicationTags"] is True
    assert "recordClientAddress" not in insights


def test_a_laptop_s_database_pays_for_none_of_it(run: Run) -> None:
    paid = {"availabilityType", "backupConfiguration", "finalBackupConfig", "insightsConfig", "databaseFlags"}

    assert not paid & set(settings(run, stack="dev"))
