"""What it means that the node is ready: conditions that a start waits for, each asked once.

The store keeps what an earlier run said, so a condition may ask that it was said since a given time.
"""

import http.client
from datetime import UTC, datetime
from typing import Any

from local.command import run
from local.errors import UserError
from local.ingress import HTTP_PORT
from local.node import api, metrics_server
from local.node.layout import PROXY_HEALTH_PORT, Layout

LONG_AGO = datetime.fromtimestamp(0, UTC)


def now() -> datetime:
    """Return the time as Kubernetes writes it down, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def containerd(layout: Layout) -> bool:
    """Tell whether containerd answers."""
    try:
        run(["ctr", "--address", layout.containerd_socket, "version"])
    except UserError:
        return False
    return True


def api_server(layout: Layout) -> bool:
    """Tell whether the API server and its store are ready."""
    return api.get(layout, "/readyz") == b"ok"


def node(layout: Layout, since: datetime = LONG_AGO) -> bool:
    """Tell whether the kubelet called the node Ready since then."""
    said = _condition(api.get_json(layout, f"/api/v1/nodes/{layout.node_name}"), "Ready")
    return said.get("status") == "True" and datetime.fromisoformat(said["lastHeartbeatTime"]) >= since


def proxy(layout: Layout) -> bool:
    """Tell whether kube-proxy has written its rules."""
    return _status(layout, PROXY_HEALTH_PORT) == http.client.OK


def default_account(layout: Layout) -> bool:
    """Tell whether pods of the default namespace may be made (the controller manager's work)."""
    return bool(api.get_json(layout, "/api/v1/namespaces/default/serviceaccounts/default"))


def dns(layout: Layout, since: datetime) -> bool:
    """Tell whether a DNS pod is ready whose containers were started since then."""
    pods = api.get_json(layout, "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns")
    return any(_runs(pod, since) for pod in pods.get("items", []))


def metrics(layout: Layout) -> bool:
    """Tell whether metrics-server answers through the API server; what it has to tell comes some seconds later."""
    return api.get(layout, metrics_server.API) is not None


def ingress(layout: Layout) -> bool:
    """Tell whether nginx answers, whatever it serves by now."""
    return _status(layout, HTTP_PORT) is not None


def _status(layout: Layout, port: int) -> int | None:
    """Return what the node answers on a port, None when nothing does."""
    connection = http.client.HTTPConnection(layout.instance.node_address, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _runs(pod: dict[str, Any], since: datetime) -> bool:
    if _condition(pod, "Ready").get("status") != "True":
        return False
    running = [container["state"].get("running") for container in pod["status"].get("containerStatuses", [])]
    return all(state and datetime.fromisoformat(state["startedAt"]) >= since for state in running)


def _condition(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = thing.get("status", {}).get("conditions", [])
    return {condition["type"]: condition for condition in conditions}.get(kind, {})
