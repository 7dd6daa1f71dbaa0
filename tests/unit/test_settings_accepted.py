"""The rules of single settings: what is accepted."""

from typing import Any

import pulumi
import pytest

from settings import Settings
from tests.unit.conftest import Configure


@pytest.mark.parametrize(
    "changes",
    [
        {"mlflow:workers": 2},
        {"mlflow:workers": 3, "mlflow:memoryLimit": "1392Mi"},
        {"mlflow:workers": 1, "mlflow:memoryLimit": "627Mi", "mlflow:memoryRequest": "627Mi"},
        {"mlflow:memoryLimit": "2e9", "mlflow:memoryRequest": "1G"},
        {"mlflow:cpuRequest": "500m", "mlflow:cpuLimit": ".5"},
        {"mlflow:cpuRequest": "+1", "mlflow:cpuLimit": "1."},
        {"mlflow:cpuRequest": "1000000n", "mlflow:cpuLimit": "1e-3"},
        {"mlflow:memoryLimit": "1E", "mlflow:memoryRequest": " 1.5Gi"},
        {"mlflow:databaseTier": "db-custom-1-3840"},
        {"mlflow:databaseTier": "db-custom-96-638976"},
        {"mlflow:databaseTier": "db-f1-micro"},
        {"mlflow:databaseVersion": "POSTGRES_18"},
        {"mlflow:region": "europe-west12"},
        {"mlflow:authorizedNetworks": ["10.0.0.0/8", "203.0.113.7/32"]},
        {"mlflow:authorizedNetworks": ["203.0.113.7/32", "203.0.113.7/32"]},
        {"mlflow:bucketName": "artefacts.example.com"},
        {"mlflow:bucketName": "a_b-c.d1"},
        {"mlflow:image": "registry.example:5000/team/mlflow:3.17.2"},
        {"mlflow:image": "mlflow@sha256:" + "0" * 64},
        {"mlflow:image": "mlflow:latest@sha256:" + "0" * 64},
        {"mlflow:image": "registry-1.example:65535/m__l--f.low:1"},
        {"mlflow:image": "r/" * 127 + "m:1"},
        {"mlflow:diskRequest": "8Gi"},
        {"mlflow:nodeAddress": "minikube.example.com"},
        {"mlflow:nodePort": 30000},
        {"mlflow:nodePort": 32767},
        {"mlflow:artifactAccess": "direct"},
        {"gcp:computeCustomEndpoint": "http://10.89.0.1:4443/compute/v1/"},
        {"mlflow:workloadIdentity": "true", "mlflow:metrics": True},
        {"mlflow:deletionProtection": "false"},
        {"mlflow:databaseStorageLimit": 10},
        {"mlflow:databaseStorageLimit": 65536},
        {"mlflow:databaseUser": "a" * 50},
        {"mlflow:databaseUser": "ml_flow2"},
        {"mlflow:databasePasswordGeneration": 12},
        {"mlflow:maintenanceWindow": "MON 0"},
        {"mlflow:maintenanceWindow": "SAT 23"},
        {"mlflow:replicas": 2, "mlflow:maxReplicas": 2},
        {"mlflow:replicas": 150000},
        {"mlflow:replicas": 2, "mlflow:maxReplicas": 0},
        {"mlflow:host": "mlflow.example.com", "mlflow:nodeAddress": ""},
        {"mlflow:host": "mlflow.example.com", "mlflow:ingressClass": "nginx", "mlflow:authentication": "basic"},
        {"mlflow:network": "projects/my-project/global/networks/a", "mlflow:authorizedNetworks": []},
        {"mlflow:deletedRunRetention": "30d"},
        {"mlflow:deletedRunRetention": "1d12h30m5s"},
    ],
)
def test_a_right_setting_is_accepted(configure: Configure, changes: dict[str, Any]) -> None:
    configure(changes)

    assert Settings.load()


@pytest.mark.parametrize(("region", "warned"), [("europe-west15", True), ("europe-west12", False)])
def test_a_region_that_is_newer_than_the_program_passes_with_a_warning(
    configure: Configure,
    region: str,
    warned: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    configure({"mlflow:region": region})

    assert Settings.load().region == region
    assert [text.startswith(f"mlflow:region is '{region}': ") for text in said] == [True] * warned
