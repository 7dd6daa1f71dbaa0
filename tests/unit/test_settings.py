"""The settings as a whole: where they stand, and what they are read as."""

from typing import Any

import pulumi
import pytest

from settings import Settings
from tests.unit.conftest import ADDED, PROJECT, Configure, Told, schema, stack_file

STACKS = ["dev", "local", "prod"]
FLAGS = [
    *("mlflow:durable", "mlflow:deletionProtection", "mlflow:ownPeering", "mlflow:workloadIdentity", "mlflow:metrics"),
]


@pytest.fixture
def read(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The settings that the program reads, by their full keys."""
    keys: set[str] = set()
    get = pulumi.Config.get

    def noted(config: pulumi.Config, key: str, *rest: Any) -> str | None:  # noqa: ANN401 - whatever `get` takes
        keys.add(f"{config.name}:{key}")
        return get(config, key, *rest)

    monkeypatch.setattr(pulumi.Config, "get", noted)
    configure()
    Settings.load()
    return keys


def test_the_defaults_are_those_of_the_readme_s_table_of_settings(configure: Configure) -> None:
    configure()

    settings = Settings.load()

    assert settings.region == "asia-southeast1"
    assert settings.database_version == "POSTGRES_14"
    assert settings.database_tier == "db-custom-2-3840"
    assert settings.database_user == "postgres"
    assert settings.bucket_name == "my-project-mlflow-artefacts"
    assert settings.artifact_access == "proxied"
    assert (settings.replicas, settings.workers, settings.node_port) == (1, 1, 30001)
    assert (settings.cpu_request, settings.cpu_limit) == ("1", "2")
    assert (settings.memory_request, settings.memory_limit) == ("1Gi", "1Gi")
    assert settings.authentication == "none"
    assert not settings.durable
    assert not settings.protected


def test_what_is_left_empty_is_none(configure: Configure) -> None:
    configure()

    settings = Settings.load()

    for name in (
        "access_token",
        "network",
        "maintenance_window",
        "storage_endpoint",
        "host",
        "ingress_class",
        "tls_certificate",
        "tls_key",
        "deleted_run_retention",
        "disk_request",
    ):
        assert getattr(settings, name) is None, name


def test_the_schema_describes_every_setting_that_is_read_and_no_other(read: set[str]) -> None:
    assert set(schema()) == {key for key in read if key.startswith("mlflow:")}
    assert [key for key, entry in schema().items() if not entry.get("description") or not entry.get("type")] == []


def test_the_schema_keeps_to_its_own_types() -> None:
    types: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list}

    assert [key for key, entry in schema().items() if type(entry["default"]) is not types[entry["type"]]] == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_contains_only_settings_that_are_read(read: set[str], stack: str) -> None:
    assert set(stack_file(stack)) <= read


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_needs_nothing_added_but_what_a_person_alone_knows(configure: Configure, stack: str) -> None:
    configure(stack=stack)

    assert Settings.load().project
    assert not set(ADDED[stack]) & set(stack_file(stack))


@pytest.mark.parametrize(("stack", "key"), [(stack, key) for stack in STACKS for key in ADDED[stack]])
def test_what_a_person_has_to_add_is_asked_for(told: Told, stack: str, key: str) -> None:
    assert any("not set" in line for line in told({key: schema().get(key, {}).get("default")}, stack=stack))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_head_of_a_stack_file_names_what_a_person_has_to_add(stack: str) -> None:
    head = (PROJECT / f"Pulumi.{stack}.yaml").read_text().partition("config:\n")[0]

    assert [key for key in ADDED[stack] if key not in head] == []


def test_the_prod_stack_is_durable_and_protected(configure: Configure) -> None:
    configure(stack="prod")

    settings = Settings.load()

    assert settings.durable
    assert settings.protected
    assert settings.database_version == "POSTGRES_18"
    assert settings.database_user != "postgres"
    assert settings.workload_identity
    assert settings.authentication == "basic"
    assert settings.replicas > 1
    assert settings.ingress_class == "gce-internal"


@pytest.mark.parametrize(
    ("durable", "protection", "protected"),
    [("true", "true", True), ("true", "false", False), ("false", "true", False), ("false", "false", False)],
)
def test_only_a_durable_stack_is_protected_and_only_until_that_is_lifted(
    configure: Configure,
    durable: str,
    protection: str,
    protected: bool,  # noqa: FBT001
) -> None:
    configure({"mlflow:durable": durable, "mlflow:deletionProtection": protection}, stack="prod")

    assert Settings.load().protected is protected


@pytest.mark.parametrize("key", FLAGS)
def test_a_flag_is_read_as_the_engine_hands_it_over(configure: Configure, key: str) -> None:
    name = {
        "mlflow:deletionProtection": "deletion_protection",
        "mlflow:ownPeering": "own_peering",
        "mlflow:workloadIdentity": "workload_identity",
    }
    for text, value in (("true", True), ("false", False)):
        configure({key: text}, stack="prod")
        assert getattr(Settings.load(), name.get(key, key.removeprefix("mlflow:"))) is value
