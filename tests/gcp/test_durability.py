"""What a production instance is asked to be: regional, backed up, watched, maintained when it suits, and current."""

import pytest

from tests.gcp.standin import Json, StandIn, instance_body, query

_BACKUPS = {"enabled": True, "startTime": "02:00", "pointInTimeRecoveryEnabled": True}
_FLAGS = {"log_connections": "on", "log_temp_files": "0", "cloudsql.enable_pgaudit": "on", "pgaudit.log": "all"}
_SETTINGS: Json = {
    "availabilityType": "REGIONAL",
    "backupConfiguration": {**_BACKUPS, "backupRetentionSettings": {"retainedBackups": 14, "retentionUnit": "COUNT"}},
    "databaseFlags": [{"name": name, "value": value} for name, value in _FLAGS.items()],
    "deletionProtectionEnabled": False,
    "finalBackupConfig": {"enabled": False, "retentionDays": 30},
    "insightsConfig": {"queryInsightsEnabled": True, "recordApplicationTags": True},
    "maintenanceWindow": {"day": 7, "hour": 18, "updateTrack": "stable"},
    "passwordValidationPolicy": {"enablePasswordPolicy": True, "minLength": 16},
    "retainBackupsOnDelete": True,
    "storageAutoResizeLimit": "100",
    "userLabels": {"app": "mlflow"},
}


@pytest.fixture(scope="module")
def durable(standin: StandIn) -> Json:
    return standin.create("durable", version="POSTGRES_17", **_SETTINGS)


def _refusal(standin: StandIn, **settings: object) -> str:
    error = standin.sql("POST", "instances", instance_body("refused", **settings))["error"]
    assert error["code"] == 400
    return error["message"]


def test_everything_asked_is_answered_with_google_s_defaults_around_it(durable: Json) -> None:
    settings = durable["settings"]
    for name, asked in _SETTINGS.items():
        if isinstance(asked, dict):
            assert settings[name].items() >= asked.items(), name
        else:
            assert settings[name] == asked, name
    assert settings["backupConfiguration"]["transactionLogRetentionDays"] == 7
    assert settings["insightsConfig"]["queryStringLength"] == 1024
    assert durable["secondaryGceZone"] != durable["gceZone"]


def test_postgres_has_the_flags_that_it_knows_and_google_s_own_are_recorded(durable: Json) -> None:
    assert query(durable, "SHOW log_connections") + query(durable, "SHOW log_temp_files") == [("on",), ("0",)]
    assert {flag["name"] for flag in durable["settings"]["databaseFlags"]} == _FLAGS.keys()


def test_a_newer_version_is_an_update_and_an_older_one_is_refused(standin: StandIn, durable: Json) -> None:
    assert durable["databaseVersion"] == "POSTGRES_17"
    standin.done(standin.sql("PATCH", "instances/durable", {"databaseVersion": "POSTGRES_18"}))
    assert standin.sql("GET", "instances/durable")["databaseVersion"] == "POSTGRES_18"
    error = standin.sql("PATCH", "instances/durable", {"databaseVersion": "POSTGRES_16"})["error"]
    assert error["code"] == 400
    assert "POSTGRES_18" in error["message"]


def test_a_regional_instance_needs_backups_and_their_logs(standin: StandIn) -> None:
    assert "REGIONAL" in _refusal(standin, availabilityType="REGIONAL")
    only_logs = {"enabled": False, "pointInTimeRecoveryEnabled": True}
    assert "pointInTimeRecoveryEnabled" in _refusal(standin, backupConfiguration=only_logs)


def test_an_edition_takes_its_own_machines_and_days_of_logs(standin: StandIn) -> None:
    assert "db-custom-2-3840" in _refusal(standin, edition="ENTERPRISE_PLUS")
    assert "14" in _refusal(standin, backupConfiguration={**_BACKUPS, "transactionLogRetentionDays": 14})


def test_from_version_16_another_edition_is_the_default(standin: StandIn) -> None:
    body = instance_body("refused", edition=None)
    error = standin.sql("POST", "instances", {**body, "databaseVersion": "POSTGRES_16"})["error"]
    assert "ENTERPRISE_PLUS" in error["message"]


def test_a_disk_never_gets_smaller(standin: StandIn, durable: Json) -> None:
    patch = {"settings": {"dataDiskSizeGb": "5"}}
    error = standin.sql("PATCH", f"instances/{durable['name']}", patch)["error"]
    assert "dataDiskSizeGb" in error["message"]
