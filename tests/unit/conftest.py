"""Settings that the unit tests start from: the schema's defaults and what a person would add on a laptop."""

import json
from pathlib import Path
from typing import Any, Protocol

import pulumi
import pytest
import yaml

PROJECT = Path(__file__).parent.parent.parent


class Configure(Protocol):
    """Sets the configuration of the stack: the defaults, changed by `changes` (None removes a setting)."""

    def __call__(self, changes: dict[str, Any] | None = None) -> None:
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
    """Return the function that sets the configuration as the engine would for the stack `dev`."""

    def configure(changes: dict[str, Any] | None = None) -> None:
        settings: dict[str, Any] = {key: entry["default"] for key, entry in schema().items()}
        settings |= stack_file("dev")
        settings |= {"gcp:project": "my-project", "mlflow:authorizedNetworks": ["203.0.113.7/32"]}
        settings |= changes or {}
        pulumi.runtime.set_all_config({key: _text(value) for key, value in settings.items() if value is not None})

    return configure


def _text(value: object) -> str:
    """Return a value as the engine hands it to a program."""
    return value if isinstance(value, str) else json.dumps(value)


def pytest_configure(config: pytest.Config) -> None:
    """Let the Google Cloud SDK warn of a function of its own, which it does whenever it is loaded."""
    config.addinivalue_line("filterwarnings", "ignore:gcp.storage.getTransferProjectServieAccount:DeprecationWarning")
