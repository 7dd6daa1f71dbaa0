"""Keys of secrets in the database: the same wherever MLflow runs, and of more than one generation."""

import base64
from typing import Any

import pytest

from tests.unit.engine import Deployment, generated, generated_bytes
from tests.unit.server import changed, containers, everything, server, templates, variables

PASSPHRASE, VERSION = "MLFLOW_CRYPTO_KEK_PASSPHRASE", "MLFLOW_CRYPTO_KEK_VERSION"
WEBHOOK_KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
KEYS = (PASSPHRASE, VERSION, WEBHOOK_KEY)


def content(deployment: Deployment) -> dict[str, str]:
    """Return what is in the Secret."""
    return deployment.only("Secret", "mlflow-encryption").inputs["stringData"]


def keys(of: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of a container that have to do with keys."""
    return {name: value for name, value in variables(of).items() if name.startswith(KEYS)}


def test_the_keys_are_generated() -> None:
    made = content(server())

    assert made[VERSION] == "1"
    assert made[PASSPHRASE] == generated("mlflow-encryption-passphrase-1")
    assert [each.inputs["length"] for each in server().all("RandomBytes")] == [32, 32]


def test_the_key_of_webhooks_is_32_bytes_in_the_base64_that_fernet_reads() -> None:
    plain, key = generated_bytes("mlflow-encryption-webhook-key-1"), content(server())[WEBHOOK_KEY]

    assert {"+", "/"} & set(plain)
    assert not {"+", "/"} & set(key)
    assert base64.urlsafe_b64decode(key) == base64.b64decode(plain)


def test_every_container_that_reaches_the_database_reads_every_key_from_the_secret() -> None:
    deployment = everything()
    reaching = [
        made
        for template in templates(deployment).values()
        for made in containers(template["spec"])
        if "PGHOST" in variables(made)
    ]

    assert len(reaching) == 8
    for made in reaching:
        assert keys(made) == {
            name: {"secretKeyRef": {"name": "mlflow-encryption", "key": name}} for name in content(deployment)
        }


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_each_generation_has_the_keys_of_all_before_and_of_the_next(generation: int) -> None:
    made = content(changed(encryption_generation=generation))
    others = [each for each in range(1, generation + 2) if each != generation]

    assert made[VERSION] == str(generation)
    assert made[PASSPHRASE] == generated(f"mlflow-encryption-passphrase-{generation}")
    for name in (PASSPHRASE, WEBHOOK_KEY):
        assert {key for key in made if key.startswith(name)} == {name, *(f"{name}_{each}" for each in others)}
    assert [made[f"{PASSPHRASE}_{each}"] for each in others] == [
        generated(f"mlflow-encryption-passphrase-{each}") for each in others
    ]


def test_a_rotation_makes_keys_and_leaves_those_that_there_are() -> None:
    def made(generation: int) -> dict[str, Any]:
        registrations = changed(encryption_generation=generation).registrations
        return {each.name: each.inputs for each in registrations if each.type.startswith("random:")}

    before, after = made(1), made(2)

    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"mlflow-encryption-passphrase-3", "mlflow-encryption-webhook-key-3"}
