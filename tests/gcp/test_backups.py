"""Backups are real: what they hold comes back, in place or elsewhere, and some outlive their instance."""

import psycopg
import pytest

from tests.gcp.standin import PROJECT, Json, StandIn, connect, query

_RUNS = "instances/backed/backupRuns"


@pytest.fixture(scope="module")
def backed(standin: StandIn) -> Json:
    """An instance with a table, a user and a second database, as they were when it was backed up."""
    instance = standin.create("backed", version="POSTGRES_17")
    standin.done(standin.sql("POST", "instances/backed/users", {"name": "ada", "password": "one"}))
    standin.done(standin.sql("POST", "instances/backed/databases", {"name": "second"}))
    query(instance, "CREATE TABLE kept AS SELECT 'before' AS state")
    query(instance, "CREATE TABLE kept AS SELECT 'second' AS state", dbname="second")
    return instance


@pytest.fixture(scope="module")
def run(standin: StandIn, backed: Json) -> Json:
    return _take(standin, backed["name"], description="before the upgrade")


def _take(standin: StandIn, name: str, **body: str) -> Json:
    operation = standin.sql("POST", f"instances/{name}/backupRuns", body)
    ended = standin.done(operation)
    assert "error" not in ended, ended
    return standin.sql("GET", f"instances/{name}/backupRuns/{operation['backupContext']['backupId']}")


def _restore(standin: StandIn, name: str, body: Json) -> None:
    ended = standin.done(standin.sql("POST", f"instances/{name}/restoreBackup", body))
    assert "error" not in ended, ended


def _backups(standin: StandIn, instance: str) -> list[Json]:
    return standin.sql("GET", f"backups?filter=instance:{instance}").get("backups", [])


def test_a_backup_is_described_listed_and_also_a_resource_of_the_project(standin: StandIn, run: Json) -> None:
    assert (run["status"], run["type"], run["description"]) == ("SUCCESSFUL", "ON_DEMAND", "before the upgrade")
    assert run["startTime"] <= run["endTime"]
    assert run in standin.sql("GET", _RUNS)["items"]
    (backup,) = _backups(standin, "backed")
    assert (backup["state"], backup["backupRun"].rpartition("/")[2]) == ("SUCCESSFUL", run["id"])
    assert standin.sql("GET", backup["name"].removeprefix(f"projects/{PROJECT}/")) == backup


def test_a_restore_brings_back_tables_users_and_passwords_and_ends_the_sessions(
    standin: StandIn, backed: Json, run: Json
) -> None:
    query(backed, "UPDATE kept SET state = 'after'; CREATE TABLE new (n int)")
    query(backed, "DROP TABLE kept", dbname="second")
    standin.done(standin.sql("PUT", "instances/backed/users?name=ada", {"password": "two"}))
    standin.done(standin.sql("POST", "instances/backed/users", {"name": "late", "password": "x"}))

    with connect(backed) as session:
        _restore(standin, "backed", {"restoreBackupContext": {"backupRunId": run["id"]}})
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert query(backed, "SELECT current_user", user="ada", password="one") == [("ada",)]  # noqa: S106
    assert query(backed, "SELECT state FROM kept") == [("before",)]
    assert query(backed, "SELECT state FROM kept", dbname="second") == [("second",)]
    assert query(backed, "SELECT count(*) FROM pg_tables WHERE tablename = 'new'") == [(0,)]
    assert "late" not in [user["name"] for user in standin.sql("GET", "instances/backed/users")["items"]]
    assert standin.sql("GET", "instances/backed")["serverCaCert"] == backed["serverCaCert"]


def test_a_restored_instance_takes_writes_and_further_backups(standin: StandIn, backed: Json, run: Json) -> None:
    _restore(standin, "backed", {"restoreBackupContext": {"backupRunId": run["id"], "instanceId": "backed"}})
    query(backed, "INSERT INTO kept VALUES ('more')")
    second = _take(standin, "backed")
    assert [item["id"] for item in standin.sql("GET", _RUNS)["items"]][:2] == [second["id"], run["id"]]
    standin.done(standin.sql("DELETE", f"{_RUNS}/{second['id']}"))
    assert standin.sql("GET", f"{_RUNS}/{second['id']}")["error"]["code"] == 404


def test_a_backup_is_restored_into_another_instance_of_the_same_version_only(standin: StandIn, run: Json) -> None:
    other = standin.create("other", version="POSTGRES_17")
    body = {"restoreBackupContext": {"backupRunId": run["id"], "instanceId": "backed", "project": PROJECT}}
    _restore(standin, "other", body)
    assert query(other, "SELECT state FROM kept", dbname="second") == [("second",)]

    standin.done(standin.sql("PATCH", "instances/other", {"databaseVersion": "POSTGRES_18"}))
    error = standin.sql("POST", "instances/other/restoreBackup", body)["error"]
    assert error["code"] == 400
    assert "POSTGRES_17" in error["message"]


def test_backups_go_with_their_instance_unless_they_are_to_be_retained(standin: StandIn) -> None:
    for name, retained in (("forgetting", False), ("keeping", True)):
        query(standin.create(name, retainBackupsOnDelete=retained), "CREATE TABLE kept AS SELECT 7 AS n")
        _take(standin, name)
        standin.done(standin.sql("DELETE", f"instances/{name}"))
    assert _backups(standin, "forgetting") == []
    (backup,) = _backups(standin, "keeping")
    assert "instanceDeletionTime" in backup
    heir = standin.create("heir")
    _restore(standin, "heir", {"backup": backup["name"]})
    assert query(heir, "SELECT n FROM kept") == [(7,)]

    standin.done(standin.sql("DELETE", backup["name"].removeprefix(f"projects/{PROJECT}/")))
    assert _backups(standin, "keeping") == []


def test_a_final_backup_holds_the_last_state_of_a_deleted_instance(standin: StandIn) -> None:
    doomed = standin.create("ending", finalBackupConfig={"enabled": True, "retentionDays": 30})
    query(doomed, "CREATE TABLE last AS SELECT 9 AS n")
    standin.done(standin.sql("DELETE", "instances/ending"))
    (backup,) = _backups(standin, "ending")
    assert (backup["type"], backup["state"]) == ("FINAL", "SUCCESSFUL")
    assert backup["expiryTime"] > backup["instanceDeletionTime"]
    assert standin.sql("GET", "backups?filter=type:FINAL%20AND%20instance:ending")["backups"] == [backup]

    again = standin.create("ending")
    assert standin.sql("GET", "instances/ending/backupRuns")["items"] == []
    _restore(standin, "ending", {"backup": backup["name"]})
    assert query(again, "SELECT n FROM last") == [(9,)]


def test_backups_of_a_project_come_by_the_page(standin: StandIn, run: Json) -> None:
    assert run["status"] == "SUCCESSFUL"
    standin.done(standin.sql("POST", "backups", {"instance": "backed", "description": "of the project"}))
    everything = standin.sql("GET", "backups?filter=instance:backed")["backups"]
    first = standin.sql("GET", "backups?filter=instance:backed&pageSize=1")
    rest = standin.sql("GET", f"backups?filter=instance:backed&pageToken={first['nextPageToken']}")
    assert first["backups"] + rest["backups"] == everything
    assert "of the project" in [backup.get("description") for backup in everything]


@pytest.mark.usefixtures("run")
def test_a_restore_names_one_backup_that_is_there(standin: StandIn) -> None:
    missing = {"backup": f"projects/{PROJECT}/backups/nothing"}
    assert standin.sql("POST", "instances/backed/restoreBackup", missing)["error"]["code"] == 404
    assert standin.sql("POST", "instances/backed/restoreBackup", {})["error"]["code"] == 400
    assert standin.sql("GET", f"{_RUNS}/1")["error"]["code"] == 404
    assert standin.sql("GET", "backups?filter=nonsense")["error"]["code"] == 400


def test_a_backup_and_a_restore_that_were_cut_short_are_finished_by_the_next_start(own_standin: StandIn) -> None:
    instance = own_standin.create("kept")
    query(instance, "CREATE TABLE kept AS SELECT 7 AS n")
    operation = own_standin.sql("POST", "instances/kept/backupRuns", {})
    own_standin.kill()
    own_standin.start()
    assert "error" not in own_standin.done(operation)
    query(instance, "DELETE FROM kept")

    context = {"backupRunId": operation["backupContext"]["backupId"]}
    restore = own_standin.sql("POST", "instances/kept/restoreBackup", {"restoreBackupContext": context})
    own_standin.kill()
    own_standin.start()
    assert "error" not in own_standin.done(restore)
    assert query(instance, "SELECT n FROM kept") == [(7,)]


def test_an_instance_with_backups_is_backed_up_soon_and_busy_meanwhile(standin: StandIn) -> None:
    standin.create("scheduled", backupConfiguration={"enabled": True, "startTime": "00:00"})

    (run,) = standin.sql("GET", "instances/scheduled/backupRuns")["items"]
    (operation,) = [
        each
        for each in standin.sql("GET", "operations?instance=scheduled")["items"]
        if each["operationType"] == "BACKUP_VOLUME"
    ]
    assert (run["status"], run["type"]) == ("SUCCESSFUL", "AUTOMATED")
    assert operation["status"] == "DONE"


def test_an_instance_without_backups_is_not(standin: StandIn) -> None:
    standin.create("unscheduled")
    standin.create("scheduled-later", backupConfiguration={"enabled": True})  # whose first one is over by now

    assert standin.sql("GET", "instances/unscheduled/backupRuns")["items"] == []
