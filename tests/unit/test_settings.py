"""The settings: what is accepted, and what a wrong one is told."""

from typing import Any

import pulumi
import pytest

from settings import KNOWN, Settings
from tests.unit.conftest import Configure, schema, stack_file


def problems(configure: Configure, changes: dict[str, Any]) -> list[str]:
    """Return what is said about the settings, a line for each problem."""
    configure(changes)
    with pytest.raises(pulumi.RunError) as raised:
        Settings.load()
    return [line.strip() for line in str(raised.value).splitlines()[1:]]


def test_the_defaults_are_the_product_s_values(configure: Configure) -> None:
    configure()

    settings = Settings.load()

    assert settings.region == "asia-southeast1"
    assert settings.database_version == "POSTGRES_14"
    assert settings.database_tier == "db-custom-2-3840"
    assert settings.bucket_name == "my-project-mlflow-artefacts"
    assert settings.artifact_access == "proxied"
    assert (settings.replicas, settings.workers, settings.node_port) == (1, 1, 30001)
    assert (settings.cpu_request, settings.cpu_limit) == ("1", "2")
    assert (settings.memory_request, settings.memory_limit) == ("1Gi", "1Gi")
    assert settings.storage_emulator is None
    assert settings.access_token is None


def test_the_schema_describes_every_setting_that_is_read_and_no_other() -> None:
    assert set(schema()) == {key for key in KNOWN if key.startswith("mlflow:")}
    assert [key for key, entry in schema().items() if not entry.get("description") or not entry.get("type")] == []


def test_the_stack_files_contain_only_settings_that_are_read() -> None:
    assert set(stack_file("dev")) | set(stack_file("local")) <= KNOWN


def test_the_local_stack_needs_nothing_added() -> None:
    configured = {key: entry["default"] for key, entry in schema().items()} | stack_file("local")
    texts = {k: v if isinstance(v, str) else str(v).replace("'", '"') for k, v in configured.items()}
    pulumi.runtime.set_all_config(texts)

    assert Settings.load().storage_emulator


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
        ("mlflow:authorizedNetworks", [], "mlflow:authorizedNetworks[0]"),
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
        ("mlflow:cpuRequest", "3", "above mlflow:cpuLimit, 2"),
        ("mlflow:memoryRequest", "1.5Gi", "above mlflow:memoryLimit, 1Gi"),
        ("mlflow:nodeAddress", "", "`minikube ip`"),
        ("mlflow:nodeAddress", "http://192.168.49.2", "without scheme and port"),
        ("mlflow:nodeAddress", "192.168.49.2:30001", "without scheme and port"),
        ("mlflow:nodeAddress", "192.168.49.256", "IPv4 address or DNS name"),
        ("mlflow:nodeAddress", "node_1", "IPv4 address or DNS name"),
        ("mlflow:storageEmulatorHost", "localhost:4443", "not a URL"),
        ("gcp:sqlCustomEndpoint", "http://", "not a URL"),
        ("gcp:iamCustomEndpoint", "http://host:port", "not a URL"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_remedy(
    configure: Configure, key: str, value: object, remedy: str
) -> None:
    (problem,) = problems(configure, {key: value})

    assert problem.startswith(f"{key} is ")
    assert "not set" in problem or str(value if isinstance(value, str) else "") in problem
    assert remedy in problem


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("mlflow:replica", "mlflow:replicas"),
        ("mlflow:memorylimit", "mlflow:memoryLimit"),
        ("mlfow:image", "mlflow:image"),
        ("gcp:projects", "gcp:project"),
        ("kubernetes:contxt", "kubernetes:context"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_one(configure: Configure, key: str, nearest: str) -> None:
    (problem,) = problems(configure, {key: "x"})

    assert problem.startswith(f"{key} is 'x': there is no such setting, did you mean '{nearest}'?")


def test_a_setting_like_no_other_is_refused_too(configure: Configure) -> None:
    (problem,) = problems(configure, {"aws:zzz": "x"})

    assert problem == "aws:zzz is 'x': there is no such setting; type `pulumi config rm aws:zzz` to remove it"


def test_the_value_of_an_unknown_secret_is_not_told(configure: Configure) -> None:
    configure({"mlflow:databasePasword": "hunter2"})
    pulumi.runtime.set_all_config(
        {"gcp:project": "my-project", "mlflow:databasePasword": "hunter2"}, ["mlflow:databasePasword"]
    )
    with pytest.raises(pulumi.RunError) as raised:
        Settings.load()

    assert "mlflow:databasePasword is [secret]" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_all_problems_are_told_at_once(configure: Configure) -> None:
    told = problems(configure, {"gcp:project": None, "mlflow:replicas": 0, "mlflow:nodePort": 80, "mlflow:x": "y"})

    assert [line.split(" is ")[0] for line in told] == [
        "mlflow:x",
        "gcp:project",
        "mlflow:replicas",
        "mlflow:nodePort",
    ]


@pytest.mark.parametrize(
    ("limit", "workers", "enough"),
    [("1Gi", 3, "1025Mi"), ("500Mi", 1, "525Mi"), ("512M", 1, "525Mi"), ("1Gi", 4, "1275Mi")],
)
def test_a_limit_too_small_for_the_workers_is_refused(
    configure: Configure, limit: str, workers: int, enough: str
) -> None:
    (problem,) = problems(
        configure, {"mlflow:memoryLimit": limit, "mlflow:memoryRequest": "256Mi", "mlflow:workers": workers}
    )

    assert problem.startswith(f"mlflow:memoryLimit is '{limit}'")
    assert f"write {enough} or more" in problem


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
    ],
)
def test_a_right_setting_is_accepted(configure: Configure, changes: dict[str, Any]) -> None:
    configure(changes)

    assert Settings.load()
