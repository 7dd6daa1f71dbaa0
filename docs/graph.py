"""The resources of the `dev` stack and what each needs of the others, as the Pulumi engine plans them.

Owns the preview: it runs in a temporary copy of the program and asks neither a cloud nor a cluster. Leaves drawing to
`docs.picture`.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.command import output
from local.engine.environment import engine_environment

PROJECT = Path(__file__).parent.parent
PROGRAM = ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py", "settings", "components")
NOBODY = "http://127.0.0.1:9/"
SETTINGS = {
    "gcp:project": "your-project",
    "gcp:accessToken": "none",
    "gcp:sqlCustomEndpoint": NOBODY,
    "gcp:storageCustomEndpoint": NOBODY,
    "gcp:iamCustomEndpoint": NOBODY,
    "mlflow:authorizedNetworks": ["203.0.113.7/32"],
}


@dataclass(frozen=True)
class Resource:
    """A resource, or a component made of resources.

    Attributes:
        urn: its name within the stack.
        type: its type token, such as `gcp:storage/bucket:Bucket`.
        parent: URN of the component that it belongs to; the stack's for the outermost.
        inputs: what it is asked to be.
        needs: URNs of what has to be there before it.

    """

    urn: str
    type: str
    parent: str
    inputs: Mapping[str, Any]
    needs: frozenset[str]

    @property
    def kind(self) -> str:
        """What it is in one word, such as `Bucket`."""
        return self.type.rpartition(":")[2]

    @property
    def component(self) -> bool:
        """Whether it is one of the program's own components."""
        return self.type.startswith("mlflow:")


def planned() -> dict[str, Resource]:
    """Return what the engine would make for `dev`, by URN and in order of URN, without providers.

    Raises:
        local.errors.UserError: the engine could not be built, or refuses the program.

    """
    with tempfile.TemporaryDirectory() as folder:
        preview = json.loads(_preview(Path(folder)))
    states = sorted((step["newState"] for step in preview["steps"]), key=lambda state: state["urn"])
    return {resource.urn: resource for resource in _resources(states)}


def _resources(states: list[dict[str, Any]]) -> Iterator[Resource]:
    for state in states:
        if not state["type"].startswith("pulumi:"):
            needs = frozenset(state.get("dependencies", []))
            yield Resource(state["urn"], state["type"], state["parent"], state.get("inputs", {}), needs)


def _preview(folder: Path) -> str:
    """Return the engine's plan (JSON) of a copy of the program in `folder`."""
    project = folder / "mlflow"
    project.mkdir()
    for name in PROGRAM:
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, project / name)
    (project / ".venv").symlink_to(PROJECT / ".venv")
    stack = project / "Pulumi.dev.yaml"
    settings = yaml.safe_load(stack.read_text())["config"] | SETTINGS
    stack.write_text(yaml.safe_dump({"config": settings}))
    env = engine_environment(folder / "state") | {"KUBECONFIG": "/nonexistent"}
    output(["pulumi", "stack", "init", "dev"], cwd=project, env=env)
    return output(["pulumi", "preview", "--json"], cwd=project, env=env)
