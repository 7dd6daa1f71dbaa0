"""Settings that are right each alone and wrong beside one another."""

from typing import Any

import pytest

from settings import Settings
from tests.unit.conftest import Configure, Told

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
NETWORK = "projects/my-project/global/networks/default"
TLS = {"mlflow:tlsCertificate": CERTIFICATE, "mlflow:tlsKey": KEY}


@pytest.mark.parametrize(
    ("stack", "changes", "named", "remedy"),
    [
        ("dev", {"mlflow:authorizedNetworks": []}, "mlflow:authorizedNetworks is not set", "authorizedNetworks[0]"),
        (
            "dev",
            {"mlflow:network": NETWORK},
            "mlflow:authorizedNetworks is '203.0.113.7/32'",
            "private address only; remove one of the two",
        ),
        (
            "prod",
            {"mlflow:network": "projects/shared-host/global/networks/default"},
            "mlflow:network is 'projects/shared-host/global/networks/default'",
            "set mlflow:ownPeering to false",
        ),
        ("dev", {"mlflow:durable": True}, "mlflow:durable is 'true'", "the cluster's network in mlflow:network"),
        (
            "dev",
            {"gcp:project": "my-google-project"},
            "mlflow:bucketName is 'my-google-project-mlflow-artefacts'",
            "another",
        ),
        ("prod", {"mlflow:bucketName": "a" * 56}, f"mlflow:bucketName is '{'a' * 56}'", "shorter name"),
        ("dev", {"mlflow:cpuRequest": "3"}, "mlflow:cpuRequest is '3'", "above mlflow:cpuLimit, 2"),
        ("dev", {"mlflow:memoryRequest": "1.5Gi"}, "mlflow:memoryRequest is '1.5Gi'", "above mlflow:memoryLimit, 1Gi"),
        ("dev", {"mlflow:workers": 3}, "mlflow:memoryLimit is '1Gi'", "write 1392Mi or more"),
        ("dev", {"mlflow:workers": 4}, "mlflow:memoryLimit is '1Gi'", "write 1774Mi or more"),
        (
            "dev",
            {"mlflow:memoryLimit": "500Mi", "mlflow:memoryRequest": "256Mi"},
            "mlflow:memoryLimit is '500Mi'",
            "write 627Mi or more",
        ),
        (
            "dev",
            {"mlflow:memoryLimit": "512M", "mlflow:memoryRequest": "256Mi"},
            "mlflow:memoryLimit is '512M'",
            "fewer workers (mlflow:workers)",
        ),
        (
            "prod",
            {"mlflow:maxReplicas": 1},
            "mlflow:maxReplicas is '1'",
            "below mlflow:replicas, 2; raise it, or write 0",
        ),
        ("dev", {"mlflow:nodeAddress": ""}, "mlflow:nodeAddress is not set", "`minikube ip`"),
        (
            "prod",
            {"mlflow:host": "", "mlflow:authentication": "none"},
            "mlflow:nodeAddress is not set",
            "`minikube ip`",
        ),
        ("prod", {"mlflow:ingressClass": ""}, "mlflow:ingressClass is not set", "write gce-internal, or gce"),
        ("prod", {"mlflow:tlsCertificate": CERTIFICATE}, "mlflow:tlsKey is not set", "set both, or neither"),
        ("prod", {"mlflow:tlsKey": KEY}, "mlflow:tlsCertificate is not set", "set both, or neither"),
        ("dev", TLS, "mlflow:host is not set", "name it, or remove mlflow:tlsCertificate"),
        (
            "dev",
            {"mlflow:authentication": "basic"},
            "mlflow:authentication is 'basic'",
            "passwords would travel readable",
        ),
    ],
)
def test_a_setting_that_does_not_fit_another_is_named_with_its_value_and_the_remedy(
    told: Told, stack: str, changes: dict[str, Any], named: str, remedy: str
) -> None:
    (problem,) = told(changes, stack=stack, secrets=["mlflow:tlsKey"] if "mlflow:tlsKey" in changes else [])

    assert problem.startswith(f"{named}: ")
    assert remedy in problem


@pytest.mark.parametrize(
    ("stack", "changes", "named"),
    [
        ("dev", {"gcp:project": "goog"}, "gcp:project"),
        ("prod", {"mlflow:bucketName": "a" * 64}, "mlflow:bucketName"),
        (
            "dev",
            {"mlflow:workers": 0, "mlflow:memoryLimit": "256Mi", "mlflow:memoryRequest": "256Mi"},
            "mlflow:workers",
        ),
        ("dev", {"mlflow:cpuRequest": "3", "mlflow:cpuLimit": "two"}, "mlflow:cpuLimit"),
        ("prod", {"mlflow:replicas": "three", "mlflow:maxReplicas": 1}, "mlflow:replicas"),
        ("dev", {"mlflow:memoryLimit": "1GiB"}, "mlflow:memoryLimit"),
        ("dev", {"mlflow:nodeAddress": "no de"}, "mlflow:nodeAddress"),
    ],
)
def test_what_follows_from_a_wrong_setting_is_not_told_on_top(
    told: Told, stack: str, changes: dict[str, Any], named: str
) -> None:
    (problem,) = told(changes, stack=stack)

    assert problem.startswith(f"{named} is ")


@pytest.mark.parametrize(
    ("stack", "changes"),
    [
        ("prod", TLS),
        ("prod", {"mlflow:bucketName": "a" * 55}),
        ("dev", {"mlflow:bucketName": "a" * 63}),
        ("prod", {"mlflow:durable": False, "mlflow:deletionProtection": False}),
        ("prod", {"mlflow:authentication": "none", "mlflow:host": "", "mlflow:nodeAddress": "10.0.0.4"}),
        ("prod", {"mlflow:maxReplicas": 0}),
        ("prod", {"mlflow:network": "projects/shared-host/global/networks/a", "mlflow:ownPeering": False}),
        ("prod", {"mlflow:ingressClass": "", "mlflow:workloadIdentity": False}),
        ("prod", {"mlflow:databaseUser": "postgres"}),
    ],
)
def test_settings_that_fit_one_another_are_accepted(configure: Configure, stack: str, changes: dict[str, Any]) -> None:
    configure(changes, stack=stack, secrets=["mlflow:tlsKey"])

    assert Settings.load()
