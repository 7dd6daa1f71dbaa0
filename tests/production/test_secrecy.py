"""No password and no key stands where people look who may not know them."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.production.rehearsal import STACK, Rehearsal

GENERATED = {
    *("password", "root-password", "users-admin-password", "users-signing-key"),
    *("encryption-passphrase-1", "encryption-passphrase-2", "encryption-webhook-key-1", "encryption-webhook-key-2"),
}
RESULTS = {
    "random:index/randomPassword:RandomPassword": "result",
    "random:index/randomBytes:RandomBytes": "base64",
}
DESCRIBED = "pods,deployments,jobs,cronjobs,configmaps,secrets,services,ingresses,serviceaccounts,events"


@pytest.fixture(scope="module")
def secrets(rehearsal: Rehearsal) -> dict[str, str]:
    """Everything that was generated, and the key of the certificate, by name."""
    exported = rehearsal.project.output("pulumi", "stack", "export", "--show-secrets", "--stack", STACK)
    made = [(each, RESULTS[each["type"]]) for each in resources(exported) if each["type"] in RESULTS]
    found = {
        each["urn"].rpartition("::mlflow-tracking-")[2]: json.loads(each["outputs"][result]["plaintext"])
        for each, result in made
    }
    assert set(found) == GENERATED
    return found | {"key of the certificate": rehearsal.certificate.key}


def resources(exported: str) -> list[dict[str, Any]]:
    """Return the resources of a state."""
    return json.loads(exported)["deployment"]["resources"]


def told(secrets: dict[str, str], text: str) -> set[str]:
    """Return the names of the secrets that a text tells, as they are or written in another way."""
    return {name for name, secret in secrets.items() if any(each in text for each in spellings(secret))}


def spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it may stand in a text; of several lines each that is long enough to mean something."""
    escaped = json.dumps(secret)[1:-1]
    for character in "<>&":  # as the engine writes JSON
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    known = secret.strip().encode()
    yield base64.b64encode(known[: len(known) // 3 * 3]).decode()  # whatever comes behind it
    in_urls = known.translate(bytes.maketrans(b"+/", b"-_"))
    yield from (in_urls.decode(), base64.b64encode(in_urls[: len(in_urls) // 3 * 3]).decode())
    yield quote(secret, safe="")
    yield from (escaped, escaped.replace("\\", "\\\\"))
    yield from (line for line in secret.splitlines() if len(line) >= 16 and not line.startswith("-----"))


def test_the_places_where_secrets_are_kept_tell_them_all(rehearsal: Rehearsal, secrets: dict[str, str]) -> None:
    exported = rehearsal.project.output("pulumi", "stack", "export", "--show-secrets", "--stack", STACK)

    assert told(secrets, exported) == set(secrets)
    assert told(secrets, rehearsal.kubectl("get", "secrets", "--output", "yaml")) == set(secrets)


def test_the_state_tells_no_secret(rehearsal: Rehearsal, secrets: dict[str, str]) -> None:
    assert told(secrets, rehearsal.project.output("pulumi", "stack", "export", "--stack", STACK)) == set()


def test_no_pod_writes_a_secret_to_its_log(rehearsal: Rehearsal, secrets: dict[str, str]) -> None:
    pods = json.loads(rehearsal.kubectl("get", "pods", "--output", "json"))["items"]
    logs = {
        (pod["metadata"]["labels"]["app"], pod["metadata"]["name"]): rehearsal.kubectl(
            "logs", pod["metadata"]["name"], "--all-containers"
        )
        for pod in pods
    }

    assert {"mlflow-tracking-server-pods", "mlflow-tracking-server-migration"} <= {
        app for (app, _), log in logs.items() if log
    }
    assert told(secrets, "".join(logs.values())) == set()


@pytest.mark.parametrize("words", [("describe", DESCRIBED), ("get", "configmaps", "--output", "yaml")])
def test_a_description_of_the_cluster_s_objects_tells_no_secret(
    rehearsal: Rehearsal, secrets: dict[str, str], words: tuple[str, ...]
) -> None:
    text = rehearsal.kubectl(*words)

    assert "mlflow" in text
    assert told(secrets, text) == set()
