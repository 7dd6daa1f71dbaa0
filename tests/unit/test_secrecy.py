"""What the pods are told: in the open, in confidence, and so that they follow every change of it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.engine import UNKNOWN, generated, generated_bytes
from tests.unit.server import (
    ARGS,
    DATABASE,
    EVERYTHING,
    PASSWORD,
    ROOT_PASSWORD,
    containers,
    everything,
    job,
    server,
    templates,
    unknown,
)

SECRET_TYPE = "kubernetes:core/v1:Secret"  # noqa: S105 - a type token
HIDDEN = [
    PASSWORD,
    ROOT_PASSWORD,
    "private",
    "a2V5",
    generated("mlflow-users-admin-password"),
    generated("mlflow-users-signing-key"),
    generated("mlflow-encryption-passphrase-1"),
    generated("mlflow-encryption-passphrase-2"),
    generated_bytes("mlflow-encryption-webhook-key-1").replace("/", "_").replace("+", "-"),
    generated_bytes("mlflow-encryption-webhook-key-2").replace("/", "_").replace("+", "-"),
]


def annotations(**changes: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the arguments take
    made = server(replace(EVERYTHING, **changes))
    return made.only("Deployment").inputs["spec"]["template"]["metadata"]["annotations"]


def test_the_namespace_turns_away_pods_that_are_not_restricted() -> None:
    assert server().only("Namespace").inputs["metadata"] == {
        "name": "mlflow",
        "labels": {
            "app.kubernetes.io/instance": "my-project.prod",
            "pod-security.kubernetes.io/enforce": "restricted",
        },
    }


@pytest.mark.parametrize(
    ("stack", "label"), [("a" * 99, "my-project." + "a" * 52), ("b" * 51 + "_c", "my-project." + "b" * 51)]
)
def test_an_owner_with_a_long_name_is_a_label_all_the_same(stack: str, label: str) -> None:
    made = server(replace(ARGS, owner=f"my-project.{stack}")).only("Namespace")

    assert made.inputs["metadata"]["labels"]["app.kubernetes.io/instance"] == label


@pytest.mark.parametrize("args", [ARGS, EVERYTHING], ids=["least", "most"])
def test_everything_stands_in_the_namespace(args: Any) -> None:  # noqa: ANN401 - the arguments of a server
    made = server(args).registrations
    placed = [each for each in made if each.type.startswith("kubernetes:") and not each.type.endswith(":Namespace")]

    assert {each.inputs["metadata"]["namespace"] for each in placed} == {"mlflow"}


def test_the_config_map_holds_exactly_the_four_settings() -> None:
    assert server().only("ConfigMap", "mlflow-configmap").inputs["data"] == {
        "DEFAULT_ARTIFACT_ROOT": "gs://my-artefacts",
        "DB_NAME": "postgres",
        "DB_USERNAME": "postgres",
        "DB_HOST": "203.0.113.10",
    }


@pytest.mark.parametrize(
    ("name", "password"),
    [("mlflow-postgresql-credentials", PASSWORD), ("mlflow-postgresql-administrator", ROOT_PASSWORD)],
)
def test_a_password_is_an_opaque_secret_under_its_key(name: str, password: str) -> None:
    secret = everything().only("Secret", name)

    assert secret.inputs["type"] == "Opaque"
    assert secret.inputs["stringData"] == {"postgresql-password": password}


def test_the_cloud_key_is_a_secret_of_its_own() -> None:
    secret = server().only("Secret", "mlflow-gcp-credentials")

    assert secret.inputs["data"] == {"key.json": "a2V5"}


def test_the_content_of_every_secret_is_secret_to_pulumi() -> None:
    made = [each for each in everything().registrations if each.type == SECRET_TYPE]

    assert len(made) == 6
    assert [each.name for each in made if not {"data", "stringData"} & each.secrets] == []


def test_what_is_hidden_stands_in_secrets_and_nowhere_else() -> None:
    made = everything().registrations
    secrets = str([each.inputs for each in made if each.type == SECRET_TYPE])
    others = str([each.inputs for each in made if each.type != SECRET_TYPE])

    assert [value for value in HIDDEN if value not in secrets] == []
    assert [value for value in HIDDEN if value in others] == []


def test_the_administrator_s_password_reaches_no_pod_but_the_jobs_that_act_as_him() -> None:
    deployment = everything()
    told = {
        f"{name} {made['name']}"
        for name, template in templates(deployment).items()
        for made in containers(template["spec"])
        if "mlflow-postgresql-administrator" in str(made)
    }

    assert told == {"mlflow-server-migration account", "mlflow-server-retirement account"}
    volumes = [template["spec"]["volumes"] for template in templates(deployment).values()]
    assert "mlflow-postgresql-administrator" not in str(volumes)


def test_without_an_account_of_its_own_there_is_no_secret_of_the_administrator() -> None:
    assert "mlflow-postgresql-administrator" not in str(server().registrations)


def test_config_and_secret_are_there_before_the_workload() -> None:
    deployment = server()
    before = {
        each.urn for each in deployment.registrations if each.type in ("kubernetes:core/v1:ConfigMap", SECRET_TYPE)
    }

    assert len(before) == 5
    assert before <= job(deployment, "migration").dependencies
    assert before <= deployment.only("Deployment").dependencies


@pytest.mark.parametrize(
    ("changes", "annotation"),
    [
        ({"database": replace(DATABASE, host="203.0.113.11")}, "checksum/config"),
        ({"database": replace(DATABASE, name="another")}, "checksum/config"),
        ({"database": replace(DATABASE, user="another-2")}, "checksum/config"),
        ({"database": replace(DATABASE, server_ca="another authority")}, "checksum/config"),
        ({"artifact_root": "gs://other"}, "checksum/config"),
        ({"database": replace(DATABASE, password="another")}, "checksum/secret"),  # noqa: S106 - nobody's
        ({"cloud_key": "YW5vdGhlcg=="}, "checksum/secret"),
        ({"encryption_generation": 2}, "checksum/encryption"),
    ],
)
def test_a_changed_content_rolls_the_pods(changes: dict[str, Any], annotation: str) -> None:
    before, after = annotations(database=DATABASE), annotations(**{"database": DATABASE, **changes})

    assert {key for key in before if before[key] != after[key]} == {annotation}


def test_the_checksum_of_a_secret_is_a_secret() -> None:
    secrets = everything().only("Deployment").secrets

    assert "spec.template.metadata.annotations.checksum/secret" in secrets
    assert "spec.template.metadata.annotations.checksum/users" in secrets
    assert "spec.template.metadata.annotations.checksum/encryption" in secrets


def test_what_is_unknown_in_a_preview_stays_unknown() -> None:
    database = replace(DATABASE, password=unknown(), host=unknown())
    deployment = server(replace(ARGS, database=database), preview=True)

    assert deployment.only("ConfigMap", "mlflow-configmap").inputs["data"]["DB_HOST"] == UNKNOWN
    secret = deployment.only("Secret", "mlflow-postgresql-credentials")
    assert secret.inputs["stringData"] == UNKNOWN
    assert deployment.only("Deployment").inputs["spec"]["template"]["metadata"]["annotations"] == {
        "checksum/config": UNKNOWN,
        "checksum/secret": UNKNOWN,
        "checksum/encryption": UNKNOWN,
    }
