"""The database at Cloud SQL: the machine, the way to it, its accounts and passwords."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.gcp import CloudSqlPostgres, CloudSqlPostgresArgs
from tests.unit.engine import (
    CERTIFICATE,
    HOST,
    INSTANCE_ACCOUNT,
    PRIVATE_HOST,
    UNKNOWN,
    Deployment,
    deploy,
    generated,
)

ARGS = CloudSqlPostgresArgs(
    instance_name="mlflow-tracking",
    region="asia-southeast1",
    version="POSTGRES_14",
    tier="db-custom-2-3840",
    storage_limit_gib=100,
    authorized_networks=["203.0.113.7/32"],
    network=None,
    maintenance_window=None,
    user="postgres",
    password_generation=1,
    durable=False,
    protected=False,
    labels={"app": "mlflow"},
)
NETWORK = "projects/my-project/global/networks/default"


def database(*, preview: bool = False, **changes: Any) -> Deployment:  # noqa: ANN401 - whatever the arguments take
    def program() -> Mapping[str, pulumi.Output[Any]]:
        made = CloudSqlPostgres("db", replace(ARGS, **changes))
        outputs = {name: getattr(made, name) for name in ("host", "instance_name", "service_account")}
        handed_on = {name: value for name, value in vars(made.database).items() if value is not None}
        return outputs | {f"database.{name}": pulumi.Output.from_input(value) for name, value in handed_on.items()}

    return deploy(program, preview=preview)


def settings(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the arguments take
    """Return what Cloud SQL is told about an instance."""
    return database(**changes).only("DatabaseInstance").inputs["settings"]


@pytest.mark.parametrize("preview", [False, True])
def test_the_database_is_the_machine_that_was_asked_for(preview: bool) -> None:  # noqa: FBT001
    instance = database(preview=preview).only("DatabaseInstance")

    assert instance.inputs["name"] == "mlflow-tracking"
    assert instance.inputs["region"] == "asia-southeast1"
    assert instance.inputs["databaseVersion"] == "POSTGRES_14"
    assert instance.inputs["settings"]["tier"] == "db-custom-2-3840"
    assert instance.inputs["settings"]["edition"] == "ENTERPRISE"
    assert instance.inputs["settings"]["userLabels"] == {"app": "mlflow"}


def test_the_disk_grows_by_itself_to_the_limit_and_no_further() -> None:
    told = settings(storage_limit_gib=250)

    assert told["diskAutoresize"] is True
    assert told["diskAutoresizeLimit"] == 250


def test_only_the_authorized_networks_reach_the_database_by_its_public_address() -> None:
    connections = settings()["ipConfiguration"]

    assert connections["ipv4Enabled"] is True
    assert connections["authorizedNetworks"] == [{"name": "203-0-113-7-32", "value": "203.0.113.7/32"}]


@pytest.mark.parametrize("network", [None, NETWORK])
def test_the_database_takes_encrypted_connections_only(network: str | None) -> None:
    assert settings(network=network)["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"


def test_with_a_network_the_database_has_a_private_address_and_no_public_one() -> None:
    connections = settings(network=NETWORK, authorized_networks=[])["ipConfiguration"]

    assert connections["ipv4Enabled"] is False
    assert connections["privateNetwork"] == NETWORK
    assert "authorizedNetworks" not in connections


@pytest.mark.parametrize("network", [None, NETWORK])
def test_the_authority_that_clients_hold_the_server_against_is_the_instance_s_own(network: str | None) -> None:
    assert settings(network=network)["ipConfiguration"]["serverCaMode"] == "GOOGLE_MANAGED_INTERNAL_CA"


def test_google_s_word_on_a_final_backup_that_nobody_asked_for_is_no_difference() -> None:
    assert database(durable=False).only("DatabaseInstance").ignored == ("settings.finalBackupConfig",)
    assert database(durable=True).only("DatabaseInstance").ignored == ()


@pytest.mark.parametrize(("network", "host"), [(None, HOST), (NETWORK, PRIVATE_HOST)])
def test_the_server_is_told_the_address_that_the_database_has(network: str | None, host: str) -> None:
    outputs = database(network=network).outputs

    assert outputs["host"].value == host
    assert outputs["database.host"].value == host


def test_the_database_tells_how_it_is_reached() -> None:
    told = {name: output.value for name, output in database().outputs.items()}

    assert told == {
        "host": HOST,
        "instance_name": "mlflow-tracking",
        "service_account": INSTANCE_ACCOUNT,
        "database.host": HOST,
        "database.name": "postgres",
        "database.user": "postgres",
        "database.password": generated("db-password"),
        "database.server_ca": CERTIFICATE,
    }


@pytest.mark.parametrize("network", [None, NETWORK])
def test_the_address_of_a_database_is_unknown_before_it_runs(network: str | None) -> None:
    outputs = database(preview=True, network=network).outputs

    assert not outputs["host"].known
    assert not outputs["database.server_ca"].known
    assert not outputs["service_account"].known
    assert outputs["instance_name"].known


def test_the_root_password_is_generated_and_secret() -> None:
    deployment = database()
    password = deployment.only("RandomPassword").inputs

    assert (password["length"], password["special"]) == (32, True)
    assert deployment.only("DatabaseInstance").inputs["rootPassword"] == generated("db-password")
    assert "rootPassword" in deployment.only("DatabaseInstance").secrets
    assert deployment.outputs["database.password"].secret


@pytest.mark.parametrize("user", ["postgres", "mlflow"])
def test_passwords_are_secret_before_they_are_known(user: str) -> None:
    deployment = database(preview=True, user=user)

    assert deployment.only("DatabaseInstance").inputs["rootPassword"] == UNKNOWN
    assert deployment.outputs["database.password"].secret
    assert not deployment.outputs["database.password"].known


def test_an_account_of_the_server_s_own_has_another_password_than_the_administrator() -> None:
    deployment = database(user="mlflow")
    root_password = deployment.only("DatabaseInstance").inputs["rootPassword"]

    assert deployment.outputs["database.password"].value == generated("db-password")
    assert root_password == generated("db-root-password")
    assert deployment.outputs["database.administrator_password"].value == root_password
    assert deployment.outputs["database.administrator_password"].secret
    assert "rootPassword" in deployment.only("DatabaseInstance").secrets


def test_an_account_of_the_server_s_own_has_a_database_of_that_name_on_the_instance() -> None:
    deployment = database(user="mlflow")
    made = deployment.only("Database")

    assert made.inputs == {"name": "mlflow", "instance": "mlflow-tracking"}
    assert deployment.only("DatabaseInstance").urn in made.dependencies
    assert deployment.outputs["database.name"].value == "mlflow"


def test_the_administrator_s_database_is_there_already() -> None:
    assert not database().all("Database")


def test_accounts_are_numbered_like_their_passwords() -> None:
    assert database(user="mlflow", password_generation=7).outputs["database.user"].value == "mlflow-7"
    assert database(user="postgres", password_generation=7).outputs["database.user"].value == "postgres"


def test_one_generation_more_is_another_password_of_the_account_alone() -> None:
    def kept(generation: int) -> dict[str, Any]:
        made = database(user="mlflow", password_generation=generation).all("RandomPassword")
        return {each.name: each.inputs["keepers"] for each in made}

    before, after = kept(1), kept(2)

    assert {name for name in before if before[name] != after[name]} == {"db-password"}


@pytest.mark.parametrize(
    ("window", "told"),
    [("MON 0", {"day": 1, "hour": 0}), ("SUN 18", {"day": 7, "hour": 18})],
)
def test_google_may_restart_the_database_in_its_window(window: str, told: dict[str, int]) -> None:
    assert settings(maintenance_window=window)["maintenanceWindow"] == {**told, "updateTrack": "stable"}


def test_without_a_window_google_chooses() -> None:
    assert "maintenanceWindow" not in settings()


def test_the_database_has_the_hour_that_cloud_sql_may_take() -> None:
    assert database().only("DatabaseInstance").timeouts == {"create": "60m", "update": "60m", "delete": "60m"}
