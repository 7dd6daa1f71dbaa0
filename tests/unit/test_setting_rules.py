"""The rules of single settings: what is accepted, and what a wrong one is told."""

from typing import Any

import pytest

from settings import Settings
from tests.unit.conftest import Configure, Told


@pytest.mark.parametrize(
    ("key", "value", "remedy"),
    [
        ("gcp:project", None, "`pulumi config set gcp:project <project id>`"),
        ("gcp:project", "My Project", "6 to 30 lower-case letters"),
        ("kubernetes:context", None, "`pulumi config set kubernetes:context <name>`"),
        ("mlflow:region", "asia-southeast-1", "did you mean 'asia-southeast1'?"),
        ("mlflow:region", "mars", "take one such as asia-southeast1"),
        ("mlflow:databaseInstance", "MLflow", "lower-case letters"),
        ("mlflow:databaseVersion", "POSTGRES_13", "POSTGRES_14, POSTGRES_15, POSTGRES_16, POSTGRES_17, POSTGRES_18"),
        ("mlflow:databaseVersion", "14", "POSTGRES_14"),
        ("mlflow:databaseTier", "db-custom-3-3840", "1 vCPU or an even number up to 96"),
        ("mlflow:databaseTier", "db-custom-98-98304", "1 vCPU or an even number up to 96"),
        ("mlflow:databaseTier", "db-custom-2-3841", "3840 to 13312 MiB"),
        ("mlflow:databaseTier", "db-custom-2-3584", "3840 to 13312 MiB"),
        ("mlflow:databaseTier", "db-custom-2-13568", "3840 to 13312 MiB"),
        ("mlflow:databaseTier", "db-custom-8-3840", "7424 to 53248 MiB"),
        ("mlflow:databaseTier", "db-perf-optimized-N-2", "db-custom-<vCPU>-<MiB>"),
        ("mlflow:authorizedNetworks", ["203.0.113.7"], "ends with /32"),
        ("mlflow:authorizedNetworks", ["home/32"], "write one such as 203.0.113.7/32"),
        ("mlflow:authorizedNetworks", ["2001:db8::/64"], "not an IPv4 network"),
        ("mlflow:authorizedNetworks", ["::/0"], "not an IPv4 network"),
        ("mlflow:authorizedNetworks", ["10.0.0.5/8"], "write 10.0.0.0/8 for the network or 10.0.0.5/32"),
        ("mlflow:authorizedNetworks", ["0.0.0.0/0"], "100% of the internet"),
        ("mlflow:authorizedNetworks", ["0.0.0.0/1", "128.0.0.0/1"], "together they open the database to 0.0.0.0/0"),
        ("mlflow:authorizedNetworks", ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"], "to 0.0.0.0/0"),
        ("mlflow:authorizedNetworks", [f"{first}.0.0.0/8" for first in range(256)], "to 0.0.0.0/0"),
        ("mlflow:authorizedNetworks", ["128.0.0.0/1"], "50% of the internet"),
        ("mlflow:authorizedNetworks", "203.0.113.7/32", "pulumi config set --path"),
        ("mlflow:authorizedNetworks", [7], "pulumi config set --path"),
        ("mlflow:bucketName", "my-Artefacts", "lower-case letters, digits"),
        ("mlflow:bucketName", "my artefacts", "lower-case letters, digits"),
        ("mlflow:bucketName", "ab", "3 to 63 characters"),
        ("mlflow:bucketName", "a" * 64, "3 to 63 characters"),
        ("mlflow:bucketName", "-artefacts", "begins and ends with a letter or a digit"),
        ("mlflow:bucketName", "artefacts_", "begins and ends with a letter or a digit"),
        ("mlflow:bucketName", "192.168.5.4", "IP address"),
        ("mlflow:bucketName", "goog-artefacts", "'goog'"),
        ("mlflow:bucketName", "my-g00gle-artefacts", "'google'"),
        ("mlflow:bucketName", "my..artefacts", "between the dots"),
        ("mlflow:bucketName", "my.-artefacts", "between the dots"),
        ("mlflow:bucketName", "a" * 64 + ".example", "between the dots"),
        ("mlflow:artifactAccess", "proxy", "write proxied or direct"),
        ("mlflow:image", "", "mlflow-tracking-server:3.17.2"),
        ("mlflow:image", "mlflow-tracking-server", "without a tag"),
        ("mlflow:image", "mlflow-tracking-server:", "not an image with a tag"),
        ("mlflow:image", "mlflow-tracking-server:latest", "another build each time"),
        ("mlflow:image", "registry.example:5000/mlflow", "without a tag"),
        ("mlflow:image", "registry.example/MLflow:3.17.2", "not an image"),
        ("mlflow:image", "mlflow@sha256:abc", "not an image"),
        ("mlflow:replicas", 0, "at least 1"),
        ("mlflow:replicas", -1, "at least 1"),
        ("mlflow:replicas", "two", "write a whole number"),
        ("mlflow:replicas", 1.5, "write a whole number"),
        ("mlflow:replicas", True, "write a whole number"),
        ("mlflow:workers", 0, "at least 1"),
        ("mlflow:nodePort", 29999, "30000 to 32767"),
        ("mlflow:nodePort", 32768, "30000 to 32767"),
        ("mlflow:cpuRequest", "one", "such as 1 or 0.5"),
        ("mlflow:cpuRequest", "0", "such as 1 or 0.5"),
        ("mlflow:cpuRequest", "0.0001", "thousandths"),
        ("mlflow:cpuLimit", "-2", "such as 1 or 0.5"),
        ("mlflow:memoryLimit", "1gi", "such as 512Mi or 1Gi"),
        ("mlflow:memoryLimit", "1 Gi", "such as 512Mi or 1Gi"),
        ("mlflow:memoryLimit", "1GB", "such as 512Mi or 1Gi"),
        ("mlflow:memoryRequest", "512m", "such as 512Mi or 1Gi"),
        ("mlflow:memoryLimit", "1e99", "such as 512Mi or 1Gi"),
        ("mlflow:nodeAddress", "http://192.168.49.2", "without scheme and port"),
        ("mlflow:nodeAddress", "192.168.49.2:30001", "without scheme and port"),
        ("mlflow:nodeAddress", "192.168.49.256", "IPv4 address or DNS name"),
        ("mlflow:nodeAddress", "node_1", "IPv4 address or DNS name"),
        ("mlflow:storageEmulatorHost", "localhost:4443", "not a URL"),
        ("gcp:sqlCustomEndpoint", "http://", "not a URL"),
        ("gcp:iamCustomEndpoint", "http://host:port", "not a URL"),
        ("gcp:computeCustomEndpoint", "ftp://host", "not a URL"),
        ("gcp:serviceNetworkingCustomEndpoint", "host:80", "not a URL"),
        ("mlflow:durable", "yes", "write true or false"),
        ("mlflow:durable", "True", "write true or false"),
        ("mlflow:deletionProtection", "", "write true or false"),
        ("mlflow:workloadIdentity", 1, "write true or false"),
        ("mlflow:metrics", "on", "write true or false"),
        ("mlflow:databaseStorageLimit", 9, "10 to 65536 GiB"),
        ("mlflow:databaseStorageLimit", 65537, "10 to 65536 GiB"),
        ("mlflow:databaseStorageLimit", "100GiB", "write a whole number"),
        ("mlflow:databaseUser", "", "write postgres, or"),
        ("mlflow:databaseUser", "MLflow", "lower-case letters"),
        ("mlflow:databaseUser", "mlflow-1", "lower-case letters"),
        ("mlflow:databaseUser", "pg_mlflow", "PostgreSQL's and Google's own"),
        ("mlflow:databaseUser", "cloudsqladmin", "PostgreSQL's and Google's own"),
        ("mlflow:databaseUser", "a" * 51, "at most 50"),
        ("mlflow:databasePasswordGeneration", 0, "at least 1"),
        ("mlflow:maintenanceWindow", "SUNDAY 18", "such as SUN 18"),
        ("mlflow:maintenanceWindow", "SUN 24", "such as SUN 18"),
        ("mlflow:maintenanceWindow", "SUN 06", "such as SUN 18"),
        ("mlflow:maxReplicas", -1, "fewer than 0"),
        ("mlflow:host", "mlflow", "full DNS name"),
        ("mlflow:host", "192.168.49.2", "full DNS name"),
        ("mlflow:host", "https://mlflow.example.com", "without scheme and port"),
        ("mlflow:host", "mlflow.example.com:443", "without scheme and port"),
        ("mlflow:host", "Mlflow.example.com", "full DNS name"),
        ("mlflow:ingressClass", "GKE internal", "`kubectl get ingressclass`"),
        ("mlflow:authentication", "ldap", "write none or basic"),
        ("mlflow:deletedRunRetention", "30", "such as 30d or 12h"),
        ("mlflow:deletedRunRetention", "a month", "such as 30d or 12h"),
        ("mlflow:deletedRunRetention", "12h 30d", "such as 30d or 12h"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_remedy(
    told: Told, key: str, value: object, remedy: str
) -> None:
    (problem,) = told({key: value})

    assert problem.startswith(f"{key} is ")
    assert "not set" in problem or str(value if isinstance(value, str) else "") in problem
    assert remedy in problem


@pytest.mark.parametrize(
    "network",
    ["default", "projects/my-project/regions/asia-southeast1/subnetworks/default", "projects/p/global/networks/a"],
)
def test_a_network_is_named_in_full(told: Told, network: str) -> None:
    (problem,) = told({"mlflow:network": network}, stack="prod")

    assert problem.startswith(f"mlflow:network is '{network}': write projects/<project>/global/networks/<name>;")


@pytest.mark.parametrize(
    "changes",
    [
        {"mlflow:workers": 2},
        {"mlflow:workers": 3, "mlflow:memoryLimit": "1025Mi"},
        {"mlflow:workers": 1, "mlflow:memoryLimit": "525Mi", "mlflow:memoryRequest": "525Mi"},
        {"mlflow:memoryLimit": "2e9", "mlflow:memoryRequest": "1G"},
        {"mlflow:cpuRequest": "500m", "mlflow:cpuLimit": ".5"},
        {"mlflow:cpuRequest": "+1", "mlflow:cpuLimit": "1."},
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
        {"mlflow:nodeAddress": "minikube.example.com"},
        {"mlflow:nodePort": 30000},
        {"mlflow:nodePort": 32767},
        {"mlflow:artifactAccess": "direct"},
        {"mlflow:storageEmulatorHost": "http://10.89.0.1:4443"},
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
