"""What `pulumi preview` of the `dev` stack says."""

import json
from typing import Any

import pytest

from tests.scratch import Scratch


@pytest.fixture
def planned(dev: Scratch) -> dict[str, dict[str, Any]]:
    """The inputs of all resources of the preview, by type and logical name."""
    steps = json.loads(dev.output("pulumi", "preview", "--json"))["steps"]
    return {"::".join(step["urn"].split("::")[2:]).split("$")[-1]: step["newState"].get("inputs", {}) for step in steps}


def one(planned: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the inputs of the only resource of a type."""
    (found,) = [inputs for name, inputs in planned.items() if name.split("::")[0].endswith(f":{kind}")]
    return found


def test_the_database_is_postgresql_14_in_singapore_for_one_network(planned: dict[str, dict[str, Any]]) -> None:
    instance = one(planned, "DatabaseInstance")
    network = instance["settings"]["ipConfiguration"]

    assert instance["databaseVersion"] == "POSTGRES_14"
    assert instance["region"] == "asia-southeast1"
    assert instance["settings"]["tier"] == "db-custom-2-3840"
    assert network["ipv4Enabled"] is True
    assert [entry["value"] for entry in network["authorizedNetworks"]] == ["192.0.2.7/32"]


def test_the_bucket_lies_beside_the_database(planned: dict[str, dict[str, Any]]) -> None:
    bucket = one(planned, "Bucket")

    assert bucket["name"] == "a-project-mlflow-artefacts"
    assert bucket["location"] == "ASIA-SOUTHEAST1"


def test_a_preview_shows_no_password(dev: Scratch) -> None:
    planned = json.loads(dev.output("pulumi", "preview", "--json"))
    instance = next(step for step in planned["steps"] if step["urn"].split("::")[2].endswith(":DatabaseInstance"))

    assert instance["newState"]["inputs"]["rootPassword"] in (
        "[secret]",
        {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"},
    )


def test_every_resource_names_its_provider(dev: Scratch) -> None:
    planned = json.loads(dev.output("pulumi", "preview", "--json"))["steps"]
    custom = [step["newState"] for step in planned if step["newState"].get("custom")]
    kinds = [state for state in custom if not state["type"].startswith("pulumi:providers:")]

    assert len(kinds) > 8
    assert not [state["urn"] for state in kinds if "default" in state.get("provider", "default")]
