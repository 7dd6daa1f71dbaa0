"""Cloud SQL instances: created, read, changed, protected, deleted."""

import socket

import psycopg
import pytest

from tests.gcp.standin import PROJECT, Json, StandIn, connect, instance_body, query


@pytest.fixture(scope="module")
def changing(standin: StandIn) -> Json:
    return standin.create("changing", databaseFlags=[{"name": "max_connections", "value": "50"}])


def test_an_instance_answers_the_settings_asked_and_google_s_defaults(instance: Json) -> None:
    settings = instance["settings"]
    assert instance["state"] == "RUNNABLE"
    assert instance["databaseVersion"] == "POSTGRES_18"
    assert instance["connectionName"] == f"{PROJECT}:asia-southeast1:shared"
    assert settings["tier"] == "db-custom-2-3840"
    assert settings["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"
    assert (settings["activationPolicy"], settings["dataDiskSizeGb"]) == ("ALWAYS", "10")
    assert settings["settingsVersion"] == "1"


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_the_engine_is_of_the_version_that_was_asked_for(standin: StandIn, major: int) -> None:
    instance = standin.create(f"of-{major}", version=f"POSTGRES_{major}")
    version: str = query(instance, "SHOW server_version")[0][0]
    assert version.startswith(f"{major}.")
    assert instance["databaseInstalledVersion"] == f"POSTGRES_{version.replace('.', '_')}"
    standin.done(standin.sql("DELETE", f"instances/of-{major}"))


@pytest.mark.parametrize(("tier", "most"), [("db-f1-micro", 25), ("db-custom-2-3840", 100), ("db-custom-4-15360", 500)])
def test_a_machine_takes_as_many_connections_as_google_s(standin: StandIn, tier: str, most: int) -> None:
    instance = standin.create(tier, tier=tier)
    assert query(instance, "SHOW max_connections") == [(str(most),)]
    standin.done(standin.sql("DELETE", f"instances/{tier}"))


def test_no_password_is_in_an_answer(instance: Json) -> None:
    assert "rootPassword" not in instance


def test_a_name_that_is_taken_is_a_409(standin: StandIn, instance: Json) -> None:
    error = standin.sql("POST", "instances", instance_body(instance["name"]))["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (409, "instanceAlreadyExists")


def test_an_instance_that_is_not_there_is_a_404(standin: StandIn) -> None:
    assert standin.sql("GET", "instances/nobody")["error"]["code"] == 404


def test_instances_have_addresses_of_their_own(instance: Json, changing: Json) -> None:
    assert instance["ipAddresses"] != changing["ipAddresses"]


@pytest.mark.parametrize(
    "change",
    [
        {"databaseVersion": "MYSQL_8_0"},
        {"settings": {"tier": "db-f1-micro", "ipConfiguration": {"pscConfig": {"pscEnabled": True}}}},
        {"settings": {"tier": "db-f1-micro", "ipConfiguration": {"sslMode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"}}},
        {"settings": {"tier": "db-f1-micro", "activationPolicy": "NEVER"}},
        {"masterInstanceName": "other"},
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(standin: StandIn, change: Json) -> None:
    error = standin.sql("POST", "instances", {**instance_body("refused"), **change})["error"]
    assert error["code"] == 501
    assert standin.sql("GET", "instances/refused")["error"]["code"] == 404


def test_database_flags_reach_the_server(changing: Json) -> None:
    assert query(changing, "SHOW max_connections") == [("50",)]


def test_flags_of_cloud_sql_itself_are_recorded(standin: StandIn, changing: Json) -> None:
    flags = [*changing["settings"]["databaseFlags"], {"name": "cloudsql.iam_authentication", "value": "on"}]
    assert "error" not in standin.done(
        standin.sql("PATCH", "instances/changing", {"settings": {"databaseFlags": flags}})
    )
    assert standin.sql("GET", "instances/changing")["settings"]["databaseFlags"] == flags
    assert query(changing, "SHOW max_connections") == [("50",)]


def test_a_server_that_cannot_have_its_address_says_so_and_the_next_try_works(standin: StandIn) -> None:
    with socket.socket() as taken:
        used = [i["ipAddresses"][0]["ipAddress"] for i in standin.sql("GET", "instances")["items"]]
        free = next(f"127.77.0.{n}" for n in range(1, 127) if f"127.77.0.{n}" not in used)
        taken.bind((free, 5432))
        taken.listen()
        error = standin.done(standin.sql("POST", "instances", instance_body("homeless")))["error"]["errors"][0]
    assert free in error["message"]
    assert "Address already in use" in error["message"]
    assert "End the program that holds port 5432" in error["message"]
    assert standin.sql("GET", "instances/homeless")["state"] == "FAILED"
    assert query(standin.create("homeless"), "SELECT 1") == [(1,)]
    standin.done(standin.sql("DELETE", "instances/homeless"))


def test_a_patch_changes_what_it_names_and_restarts_the_server_where_it_must(standin: StandIn, changing: Json) -> None:
    flags = [{"name": "max_connections", "value": "60"}, {"name": "work_mem", "value": "8MB"}]
    operation = standin.sql("PATCH", "instances/changing", {"settings": {"databaseFlags": flags}})
    assert "error" not in standin.done(operation)
    after = standin.sql("GET", "instances/changing")
    assert query(changing, "SHOW max_connections") + query(changing, "SHOW work_mem") == [("60",), ("8MB",)]
    assert after["settings"]["tier"] == "db-custom-2-3840"
    assert int(after["settings"]["settingsVersion"]) > int(changing["settings"]["settingsVersion"])


def test_an_update_returns_what_it_does_not_name_to_its_default(standin: StandIn, changing: Json) -> None:
    settings = {**changing["settings"], "tier": "db-custom-4-7680", "userLabels": {"a": "b"}}
    del settings["databaseFlags"], settings["settingsVersion"]
    assert "error" not in standin.done(standin.sql("PUT", "instances/changing", {"settings": settings}))
    after = standin.sql("GET", "instances/changing")["settings"]
    assert (after["tier"], after["userLabels"]) == ("db-custom-4-7680", {"a": "b"})
    assert query(changing, "SHOW max_connections") == [("400",)]  # of the larger machine


def test_settings_read_too_long_ago_are_a_412(standin: StandIn, changing: Json) -> None:
    body = {"settings": {"settingsVersion": "999", "tier": changing["settings"]["tier"]}}
    assert standin.sql("PATCH", "instances/changing", body)["error"]["code"] == 412


def test_a_flag_value_that_postgres_refuses_fails_the_operation_and_changes_nothing(
    standin: StandIn, changing: Json
) -> None:
    before = standin.sql("GET", "instances/changing")
    body = {"settings": {"databaseFlags": [{"name": "work_mem", "value": "plenty"}]}}
    error = standin.done(standin.sql("PATCH", "instances/changing", body))["error"]["errors"][0]
    assert "work_mem=plenty" in error["message"]
    assert standin.sql("GET", "instances/changing") == before
    assert query(changing, "SELECT 1") == [(1,)]


def test_a_flag_that_is_the_stand_in_s_own_is_refused(standin: StandIn, changing: Json) -> None:
    body = {"settings": {"databaseFlags": [{"name": "listen_addresses", "value": "*"}]}}
    error = standin.sql("PATCH", f"instances/{changing['name']}", body)["error"]
    assert error["code"] == 400
    assert "listen_addresses" in error["message"]


def test_a_restart_ends_the_sessions_and_keeps_the_data(standin: StandIn, changing: Json) -> None:
    query(changing, "CREATE TABLE kept AS SELECT 7 AS n")
    with connect(changing) as session:
        standin.done(standin.sql("POST", "instances/changing/restart"))
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert query(changing, "SELECT n FROM kept") == [(7,)]


def test_a_protected_instance_is_not_deleted_until_the_protection_is_off(standin: StandIn) -> None:
    protected = standin.create("protected", deletionProtectionEnabled=True)
    error = standin.sql("DELETE", "instances/protected")["error"]
    assert error["code"] == 400
    assert "deletionProtectionEnabled" in error["message"]
    assert query(protected, "SELECT 1") == [(1,)]

    off = {"settings": {"deletionProtectionEnabled": False}}
    standin.done(standin.sql("PATCH", "instances/protected", off))
    standin.done(standin.sql("DELETE", "instances/protected"))
    assert standin.sql("GET", "instances/protected")["error"]["code"] == 404


def test_a_deleted_instance_leaves_no_server_and_no_data(standin: StandIn) -> None:
    doomed = standin.create("doomed")
    folders = set((standin.state / "sql").iterdir())
    standin.done(standin.sql("DELETE", "instances/doomed"))
    with pytest.raises(psycopg.OperationalError, match="Connection refused"):
        connect(doomed)
    assert len(set((standin.state / "sql").iterdir())) == len(folders) - 1
