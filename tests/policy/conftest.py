"""The program's stacks in the real engine, with a state of their own, no cluster and no cloud."""

from collections.abc import Callable

import pytest

from local.engine.environment import engine_environment
from local.gcp import endpoints
from tests.scratch import Scratch

NOWHERE = "http://127.0.0.1:9"
Setup = Callable[[str, dict[str, str]], Scratch]


@pytest.fixture(scope="session")
def policy_project(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A copy of the project with an empty state."""
    env = engine_environment(tmp_path_factory.mktemp("state"))
    return Scratch.create(
        tmp_path_factory.mktemp("clone"), {**env, "KUBECONFIG": "/nonexistent", "PYTHONUNBUFFERED": ""}
    )


@pytest.fixture
def select(policy_project: Scratch) -> Setup:
    """Return the function that selects a stack, with settings on top of its file; Google is nowhere."""

    def select(stack: str, settings: dict[str, str]) -> Scratch:
        policy_project.output("pulumi", "stack", "select", "--create", stack)
        google = {f"gcp:{key}": url for key, url in endpoints(NOWHERE).items()}
        plain = {"gcp:project": "a-project", **google, **settings}
        words = [word for key, value in plain.items() for word in ("--plaintext", f"{key}={value}")]
        policy_project.output("pulumi", "config", "set-all", "--path", *words, "--secret", "gcp:accessToken=none")
        return policy_project

    return select
