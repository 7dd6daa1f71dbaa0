"""The server on its cluster, asked and told by `kubectl`."""

import pytest

from operations.server import Server
from operations.stack import Stack
from tests.operations.conftest import Program

STACK = Stack(
    name="prod",
    settings={"kubernetes:context": "here", "mlflow:replicas": "2", "mlflow:maxReplicas": "4"},
    outputs={"namespace": "mlflow"},
)


@pytest.mark.parametrize(("found", "scaled"), [("0", True), ("3", False)])
def test_a_server_that_was_scaled_to_0_is_started_and_another_one_left_alone(
    program: Program, found: str, *, scaled: bool
) -> None:
    asked = program("kubectl", f"echo {found}")

    Server(STACK).start()

    commands = asked.read_text().splitlines()
    assert any(each.endswith("scale deployment/mlflow-tracking-server --replicas=2") for each in commands) == scaled
    assert "rollout status deployment/mlflow-tracking-server" in commands[-1]
    assert all(each.startswith("--context here --namespace mlflow ") for each in commands)
