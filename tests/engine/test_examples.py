"""The engine applies the examples of docs/examples when their first lines are pasted where they say."""

import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from docs.examples import encryption_key, node_pool
from tests.scratch import Scratch


def pasted(example: ModuleType) -> str:
    """Return the lines of an example's docstring that are for `__main__.py`."""
    return "".join(re.findall(r"^    (.+\n)", example.__doc__ or "", flags=re.MULTILINE))


(KEY,) = re.findall(r'encrypted_with\("(.+)"\)', pasted(encryption_key))


@pytest.fixture
def plans(dev: Scratch) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What a preview of `dev` makes, without the examples and with both."""
    without = planned(dev)
    file = dev.folder / "__main__.py"
    original = file.read_text()
    changed, places = re.subn(
        r"^in_cluster = .+\n",
        lambda line: line[0] + pasted(node_pool) + pasted(encryption_key),
        original,
        flags=re.MULTILINE,
    )
    assert places == 1
    file.write_text(changed)
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
