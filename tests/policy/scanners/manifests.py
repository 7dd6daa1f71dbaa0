"""Scans Kubernetes objects as they are deployed: what `kubectl get --output json` returns."""

from collections.abc import Mapping
from typing import Any

from tests.policy.scanners.finding import Finding
from tests.policy.scanners.runner import run_checkov, run_kube_score

KINDS = (
    "deployments,statefulsets,daemonsets,jobs,cronjobs,services,ingresses,networkpolicies,poddisruptionbudgets,"
    "horizontalpodautoscalers,serviceaccounts,configmaps,secrets,roles,rolebindings"
)
"""What to ask for: `kubectl --namespace mlflow get <KINDS> --output json`."""
_NOT_WRITTEN = ("pulumi.com/", "kubectl.kubernetes.io/", "deployment.kubernetes.io/")
"""How annotations begin that Pulumi and Kubernetes add; kubectl's repeats the content of a Secret."""
_KUBERNETES_OWN = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}


def scan_manifests(objects: Mapping[str, Any]) -> set[Finding]:
    """Return what checkov and kube-score find in a List of objects."""
    ours = as_written(objects)
    return run_checkov("kubernetes", ours) | run_kube_score(ours)


def as_written(objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return a List without what Kubernetes and Pulumi add of themselves, and without the content of Secrets."""
    items = [_as_written(item) for item in objects["items"] if not _made_by_kubernetes(item)]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _made_by_kubernetes(item: Mapping[str, Any]) -> bool:
    metadata = item["metadata"]
    return bool(metadata.get("ownerReferences")) or (item["kind"], metadata["name"]) in _KUBERNETES_OWN


def _as_written(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in item["metadata"].items() if key in {"name", "namespace", "labels"}}
    annotations = item["metadata"].get("annotations", {})
    if "pulumi.com/autonamed" in annotations:
        metadata["name"] = metadata["name"].rpartition("-")[0]
    theirs = {key: value for key, value in annotations.items() if not key.startswith(_NOT_WRITTEN)}
    if theirs:
        metadata["annotations"] = theirs
    written = {key: value for key, value in item.items() if key != "status"} | {"metadata": metadata}
    if item["kind"] == "Secret":
        written["data"] = dict.fromkeys(item.get("data") or {}, "")
        written.pop("stringData", None)
    return written
