"""The program in the real engine, with a state of its own, no cluster and no cloud."""

from collections.abc import Iterator

import pytest

from local.engine.environment import engine_environment
from tests.scratch import Scratch

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A copy of the project with an empty state."""
    env = engine_environment(tmp_path_factory.mktemp("state"))
    return Scratch.create(
        tmp_path_factory.mktemp("clone"),
        {**env, "KUBECONFIG": "/nonexistent", "PULUMI_CONFIG_PASSPHRASE": "a test's own"},
    )


@pytest.fixture
def dev(project: Scratch) -> Iterator[Scratch]:
    """The `dev` stack with the two settings of the walk-through, its endpoints overridden."""
    project.output("pulumi", "stack", "select", "--create", "dev")
    original = (project.folder / "Pulumi.dev.yaml").read_text()
    for key, value in {
        "gcp:project": "a-project",
        "mlflow:authorizedNetworks[0]": "192.0.2.7/32",
        "gcp:accessToken": "none",
        "gcp:sqlCustomEndpoint": NOWHERE,
        "gcp:storageCustomEndpoint": NOWHERE,
        "gcp:iamCustomEndpoint": NOWHERE,
    }.items():
        project.output("pulumi", "config", "set", "--path", key, value)
    yield project
    (project.folder / "Pulumi.dev.yaml").write_text(original)
