"""Puts every pod of the server on nodes of a pool of its own, in a Standard cluster.

Autopilot makes its pools itself; there a pod selects a compute class instead.

In `__main__.py`, below the line that makes `in_cluster`:

    from docs.examples.node_pool import on_pool
    in_cluster.transforms = [on_pool("mlflow")]
"""

from typing import Any

import pulumi

_POD_SPECS = {
    "kubernetes:apps/v1:Deployment": ("spec", "template", "spec"),
    "kubernetes:batch/v1:Job": ("spec", "template", "spec"),
    "kubernetes:batch/v1:CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}


def on_pool(pool: str) -> pulumi.ResourceTransform:
    """Return the transform for a node pool of GKE whose nodes are tainted `dedicated=<pool>:NoSchedule`."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ not in _POD_SPECS:
            return None
        spec: Any = args.props
        for key in _POD_SPECS[args.type_]:
            spec = spec[key]
        spec["nodeSelector"] = {"cloud.google.com/gke-nodepool": pool}
        spec["tolerations"] = [{"key": "dedicated", "operator": "Equal", "value": pool, "effect": "NoSchedule"}]
        return pulumi.ResourceTransformResult(args.props, args.opts)

    return transform
