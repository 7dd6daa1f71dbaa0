"""Settings that the unit tests start from: those of a stack, and what a person would add."""

import gc
import json
import runpy
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pulumi
import pytest
import yaml

from settings import Settings
from tests.unit.engine import Deployment, deploy

PROJECT = Path(__file__).parent.parent.parent
ADDED: dict[str, dict[str, Any]] = {
    "dev": {"gcp:project": "my-project", "mlflow:authorizedNetworks": ["203.0.113.7/32"]},
    "local": {},
    "prod": {
        "gcp:project": "my-project",
        "kubernetes:context": "gke_my-project_asia-southeast1_cluster",
        "mlflow:network": "projects/my-project/global/networks/default",
        "mlflow:image": "registry.example.com/mlflow-tracking-server@sha256:" + "0" * 64,
        "mlflow:host": "mlflow.example.com",
    },
}
"""What only a person can know of a stack, as the head of its file asks for it."""

Run = Callable[..., Deployment]
"""Runs the program: `run(changes, stack="dev", preview=False, state={})`; the outputs are the stack's."""

Told = Callable[..., list[str]]
"""Returns what is said about wrong settings, a line each: `told(changes, stack="dev", secrets=())`."""


class Configure(Protocol):
    """Sets the configuration of a stack, changed by `changes` (None removes a setting); `secrets` are kept secret."""

    def __call__(
        self, changes: dict[str, Any] | None = None, *, stack: str = "dev", secrets: Collection[str] = ()
    ) -> None:
        """Set it."""
        ...


def stack_file(stack: str) -> dict[str, Any]:
    """Return the settings of a stack file of the project."""
    return yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())["config"]


def schema() -> dict[str, dict[str, Any]]:
    """Return the project's own settings as Pulumi.yaml describes them, by full key."""
    config = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    return {f"mlflow:{key}": entry for key, entry in config.items() if ":" not in key}


@pytest.fixture
def configure() -> Configure:
    """Return the function that sets the configuration as the engine would."""

    def configure(changes: dict[str, Any] | None = None, *, stack: str = "dev", secrets: Collection[str] = ()) -> None:
        settings: dict[str, Any] = {key: entry["default"] for key, entry in schema().items()}
        settings |= stack_file(stack) | ADDED[stack] | (changes or {})
        texts = {key: _text(value) for key, value in settings.items() if value is not None}
        pulumi.runtime.set_all_config(texts, list(secrets))

    return configure


@pytest.fixture
def told(configure: Configure) -> Told:
    """Return the function that tells what is wrong with the changed settings of a stack."""

    def told(changes: dict[str, Any] | None = None, *, stack: str = "dev", secrets: Collection[str] = ()) -> list[str]:
        configure(changes, stack=stack, secrets=secrets)
        with pytest.raises(pulumi.RunError) as raised:
            Settings.load()
        return [line.strip() for line in str(raised.value).splitlines()[1:]]

    return told


@pytest.fixture(scope="session")
def deployments() -> dict[str, Deployment]:
    """What the program registered before, by its settings: the same settings are not run twice."""
    return {}


@pytest.fixture
def run(configure: Configure, deployments: dict[str, Deployment], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that runs the program with the changed settings of a stack."""

    def run(
        changes: dict[str, Any] | None = None,
        *,
        stack: str = "dev",
        secrets: Collection[str] = (),
        preview: bool = False,
        state: Mapping[str, Any] = MappingProxyType({}),
    ) -> Deployment:
        asked = json.dumps([changes, stack, *secrets, preview, *state.items()], sort_keys=True)
        if asked in deployments:
            return deployments[asked]
        exports: dict[str, pulumi.Output[Any]] = {}
        monkeypatch.setattr(pulumi, "export", exports.__setitem__)
        monkeypatch.setattr(gc, "disable", lambda: None)  # the tests run on
        configure(changes, stack=stack, secrets=secrets)

        def program() -> dict[str, pulumi.Output[Any]]:
            runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")
            return exports

        deployments[asked] = deploy(program, preview=preview, state=state)
        return deployments[asked]

    return run


def _text(value: object) -> str:
    """Return a value as the engine hands it to a program."""
    return value if isinstance(value, str) else json.dumps(value)


def pytest_configure(config: pytest.Config) -> None:
    """Let the Google Cloud SDK warn of names of its own, which it does whenever it is loaded."""
    config.addinivalue_line("filterwarnings", r"ignore:gcp\.\S+ has been deprecated in favor of:DeprecationWarning")
