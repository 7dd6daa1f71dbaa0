"""The workflows as data: jobs, steps, and the actions and scripts in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.__main__ import PROJECT

FILES = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
STACK_ACTION = PROJECT / ".github" / "actions" / "stack" / "action.yml"


@dataclass(frozen=True)
class Job:
    """One job of a workflow."""

    workflow: str
    name: str
    content: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Its steps in order."""
        return self.content["steps"]

    def script(self, name: str) -> str:
        """Return what the step of a name runs."""
        (found,) = [step["run"] for step in self.steps if step.get("name") == name]
        return found


def workflow(file: Path) -> dict[Any, Any]:
    """Return a workflow; YAML reads the key `on` as true."""
    return yaml.safe_load(file.read_text())


def jobs() -> Iterator[Job]:
    """Yield the jobs of all workflows."""
    for file in FILES:
        for name, content in workflow(file)["jobs"].items():
            yield Job(file.stem, name, content)


def job(workflow_name: str, name: str) -> Job:
    """Return one job."""
    (found,) = [made for made in jobs() if (made.workflow, made.name) == (workflow_name, name)]
    return found


def stack_action() -> Job:
    """Return the project's own action, whose steps are told as a job's are."""
    return Job("stack", "stack", yaml.safe_load(STACK_ACTION.read_text())["runs"])


def steps() -> Iterator[dict[str, Any]]:
    """Yield the steps of all jobs and of the project's own action."""
    for made in [*jobs(), stack_action()]:
        yield from made.steps
