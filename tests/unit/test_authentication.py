"""MLflow's own users: where they are kept, the first of them, and what sessions are signed with."""

from configparser import ConfigParser
from dataclasses import replace

import pytest

from tests.unit import engine
from tests.unit.engine import generated
from tests.unit.server import (
    ARGS,
    changed,
    container,
    containers,
    environment,
    everything,
    option,
    pod,
    server,
    templates,
    variables,
)

ADMIN_PASSWORD = generated("mlflow-users-admin-password")
SIGNING_KEY = generated("mlflow-users-signing-key")


def configuration() -> ConfigParser:
    """Return the file as MLflow reads it."""
    parser = ConfigParser()
    parser.read_string(changed(users=True).only("ConfigMap", "mlflow-auth").inputs["data"]["basic_auth.ini"])
    return parser


def test_users_are_kept_in_the_same_database() -> None:
    assert configuration()["mlflow"]["database_uri"] == option(server(), "--backend-store-uri")
    assert configuration()["mlflow"]["admin_username"] == "admin"


def test_a_team_reads_one_another_s_experiments_and_changes_its_own() -> None:
    assert configuration()["mlflow"]["default_permission"] == "READ"


def test_a_password_is_not_hashed_anew_for_each_request() -> None:
    assert int(configuration()["mlflow"]["auth_cache_ttl_seconds"]) >= 60


def test_the_configuration_file_holds_no_secret() -> None:
    deployment = changed(users=True)
    told = str(deployment.only("ConfigMap", "mlflow-auth").inputs)

    assert "admin_password" not in told
    assert ADMIN_PASSWORD not in told
    assert SIGNING_KEY not in told


def test_the_first_password_and_the_signing_key_are_generated_and_secret() -> None:
    deployment = changed(users=True)
    secret = deployment.only("Secret", "mlflow-auth-credentials")

    lengths = {each.name: each.inputs["length"] for each in deployment.all("RandomPassword") if "users" in each.name}
    assert lengths == {"mlflow-users-admin-password": 32, "mlflow-users-signing-key": 32}
    assert secret.inputs["stringData"] == {"admin-password": ADMIN_PASSWORD, "flask-secret-key": SIGNING_KEY}
    assert "stringData" in secret.secrets


@pytest.mark.parametrize("preview", [False, True])
def test_the_first_password_is_told_as_a_secret(preview: bool) -> None:  # noqa: FBT001
    told = server(replace(ARGS, users=True), preview=preview).outputs["admin_password"]

    assert told.secret
    assert told.known is not preview
    assert told.value == (None if preview else ADMIN_PASSWORD)


def test_all_replicas_sign_with_the_same_key_from_the_secret() -> None:
    told = environment(changed(users=True, replicas=2))

    assert told["MLFLOW_FLASK_SERVER_SECRET_KEY"] == {
        "secretKeyRef": {"name": "mlflow-auth-credentials", "key": "flask-secret-key"}
    }
    assert told["MLFLOW_AUTH_ADMIN_PASSWORD"] == {
        "secretKeyRef": {"name": "mlflow-auth-credentials", "key": "admin-password"}
    }


@pytest.mark.parametrize("name", ["mlflow-server", "mlflow-server-migration"])
def test_server_and_migration_find_the_configuration_file(name: str) -> None:
    spec = templates(everything())[name]["spec"]

    assert {"name": "auth", "configMap": {"name": "mlflow-auth"}} in spec["volumes"]
    connecting = [made for made in containers(spec) if "PGHOST" in variables(made)]
    assert connecting
    for made in connecting:
        assert variables(made)["MLFLOW_AUTH_CONFIG_PATH"] == "/etc/mlflow/auth/basic_auth.ini"
        assert {"name": "auth", "mountPath": "/etc/mlflow/auth", "readOnly": True} in made["volumeMounts"]


def checksums() -> set[str]:
    """Return what server and migration are annotated with."""
    made = templates(changed(users=True)).values()
    return {template["metadata"]["annotations"]["checksum/users"] for template in made}


@pytest.mark.parametrize("name", ["mlflow-users-admin-password", "mlflow-users-signing-key"])
def test_the_pods_follow_a_change_of_either(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def another(asked: str) -> str:
        return generated(f"{asked}-2" if asked == name else asked)

    before = checksums()
    monkeypatch.setattr(engine, "generated", another)
    after = checksums()

    assert len(before) == len(after) == 1
    assert before != after


def test_without_users_there_is_nothing_of_them() -> None:
    deployment = server()

    assert not [each.name for each in deployment.all("RandomPassword") if "users" in each.name]
    assert "admin_password" not in deployment.outputs
    assert "mlflow-auth" not in str(deployment.registrations)
    assert not [name for name in environment(deployment) if "AUTH" in name or "FLASK" in name]
    assert "auth" not in str(pod(deployment)["volumes"])
    assert "basic-auth" not in container(deployment)["command"]
