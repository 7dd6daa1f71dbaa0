"""The engine applies the examples of docs/examples where their first lines say that they go."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scratch import Scratch

KEY = "projects/p/locations/asia-southeast1/keyRings/r/cryptoKeys/k"
REGISTRATION = f"""\
from docs.examples.encryption_key import encrypted_with
from docs.examples.node_pool import on_pool
pulumi.runtime.register_resource_transform(encrypted_with("{KEY}"))
settings = Settings.load()
"""


@pytest.fixture
def plans(dev: Scratch) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What a preview of `dev` makes, without the examples and with both."""
    without = planned(dev)
    file = dev.folder / "__main__.py"
    original = file.read_text()
    options = "pulumi.ResourceOptions(providers=[cluster"
    assert original.count("settings = Settings.load()\n") == original.count(options) == 1
    changed = original.replace("settings = Settings.load()\n", REGISTRATION)
    file.write_text(
        changed.replace(
            options, f'{options.removesuffix("providers=[cluster")}transforms=[on_pool("mlflow")], providers=[cluster'
        )
    )
    yield without, planned(dev)
    file.write_text(original)


def planned(project: Scratch) -> dict[str, Any]:
    """Return the resources of a preview, by URN."""
    steps = json.loads(project.output("pulumi", "preview", "--json"))["steps"]
    made = {step["urn"]: step["newState"] for step in steps}
    for resource in made.values():
        metadata = resource.get("inputs", {}).get("metadata", {})
        if "pulumi.com/autonamed" in metadata.get("annotations", {}):
            del metadata["name"]  # another one each time
    return made


def test_the_examples_change_what_they_are_meant_to_and_nothing_else(
    plans: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    without, with_both = plans
    for resource in without.values():
        inputs = resource.get("inputs", {})
        if resource["type"] == "gcp:sql/databaseInstance:DatabaseInstance":
            inputs["encryptionKeyName"] = KEY
        elif resource["type"] in {"kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job"}:
            inputs["spec"]["template"]["spec"] |= {
                "nodeSelector": {"cloud.google.com/gke-nodepool": "mlflow"},
                "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "mlflow", "effect": "NoSchedule"}],
            }

    assert {urn: one.get("inputs") for urn, one in with_both.items()} == {
        urn: one.get("inputs") for urn, one in without.items()
    }
    assert {urn: (one.get("provider"), one.get("parent")) for urn, one in with_both.items()} == {
        urn: (one.get("provider"), one.get("parent")) for urn, one in without.items()
    }
