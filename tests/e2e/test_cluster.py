"""How the server runs inside the cluster."""

import json
from typing import Any

import pytest

from tests.e2e.conftest import Stack

SELECTOR = "app=mlflow-tracking-server-pods"
QUESTION = "http://mlflow-tracking-server.mlflow.svc:5000/api/2.0/mlflow/experiments/search?max_results=1"
PROBE = f"import urllib.request as u; print(u.urlopen({QUESTION!r}, timeout=20).read().decode())"


def kubectl(stack: Stack, *words: str, stdin: str | None = None) -> str:
    """Run `kubectl` in the stack's namespace."""
    return stack.project.output("kubectl", "--namespace", stack.outputs["namespace"], *words, stdin=stdin)


@pytest.fixture
def pod(stack: Stack) -> dict[str, Any]:
    """The server's pod."""
    pods = json.loads(kubectl(stack, "get", "pods", "--selector", SELECTOR, "--output", "json"))["items"]
    return next(item for item in pods if "deletionTimestamp" not in item["metadata"])


def test_the_namespace_enforces_the_restricted_pod_security_standard(stack: Stack) -> None:
    namespace = json.loads(stack.project.output("kubectl", "get", "namespace", "mlflow", "--output", "json"))

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_server_runs_as_a_plain_user_without_capabilities(stack: Stack, pod: dict[str, Any]) -> None:
    status = kubectl(stack, "exec", pod["metadata"]["name"], "--", "cat", "/proc/1/status")
    facts = dict(line.split(":", 1) for line in status.splitlines())

    assert facts["Uid"].split() == ["10001"] * 4
    assert int(facts["CapEff"], 16) == 0
    assert int(facts["CapBnd"], 16) == 0
    assert facts["NoNewPrivs"].strip() == "1"
    assert facts["Seccomp"].strip() == "2"


def test_the_root_file_system_is_read_only(stack: Stack, pod: dict[str, Any]) -> None:
    mounts = kubectl(stack, "exec", pod["metadata"]["name"], "--", "cat", "/proc/1/mounts")
    root = next(line.split() for line in mounts.splitlines() if line.split()[1] == "/")

    assert "ro" in root[3].split(",")


def test_the_pod_has_no_service_account_token(stack: Stack, pod: dict[str, Any]) -> None:
    mounts = kubectl(stack, "exec", pod["metadata"]["name"], "--", "cat", "/proc/1/mounts")

    assert "serviceaccount" not in mounts


def test_another_pod_reaches_the_server_by_its_service_name(stack: Stack, pod: dict[str, Any]) -> None:
    container = pod["spec"]["containers"][0]
    client = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "client", "namespace": "mlflow"},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": pod["spec"]["securityContext"],
            "containers": [
                {
                    "name": "client",
                    "image": container["image"],
                    "command": ["python3", "-c", PROBE],
                    "securityContext": container["securityContext"],
                }
            ],
        },
    }
    kubectl(stack, "apply", "--filename", "-", stdin=json.dumps(client))
    try:
        kubectl(stack, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
        said = kubectl(stack, "logs", "client")
    finally:
        kubectl(stack, "delete", "pod", "client", "--now")

    assert json.loads(said)["experiments"]
