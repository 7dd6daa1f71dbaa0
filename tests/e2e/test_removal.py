"""What is left on the machine when all is over; comes last."""

from pathlib import Path

from tests.e2e.conftest import INSTANCE, Stack, network, output

MARK = f"mlflow-local-{INSTANCE}"


def traces() -> dict[str, list[str]]:
    """Return what an instance makes on a machine, by kind."""
    state = f"/var/lib/mlflow-local/{INSTANCE}"
    return {
        "processes": [line for line in output("ps", "-eww", "-o", "args=").splitlines() if state in line],
        "mounts": [
            line for line in Path("/proc/self/mounts").read_text().splitlines() if state in line or MARK in line
        ],
        "namespaces": [line for line in output("ip", "netns", "list").splitlines() if MARK in line],
        "control groups": [str(path) for path in Path("/sys/fs/cgroup").rglob(MARK)],
        "state": [str(path) for path in Path(state).parent.glob(INSTANCE)],
    }


def test_destroy_removes_every_resource(stack: Stack) -> None:
    stack.project.output("pulumi", "destroy", "--yes", "--skip-preview")

    assert stack.project.output("pulumi", "stack", "--show-urns", "--show-ids").count("urn:pulumi") == 0
    assert "mlflow" not in stack.project.output("kubectl", "get", "namespaces").split()


def test_make_down_leaves_nothing(stack: Stack) -> None:
    made = traces()
    assert all(made.values()), made
    assert stack.network_before != network()

    stack.project.output("make", "down")

    assert not any(traces().values()), traces()
    assert stack.network_before == network()
