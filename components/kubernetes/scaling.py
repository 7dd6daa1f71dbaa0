"""How many pods there are while load, nodes and people change: autoscaler and disruption budget of the server.

Leaves to `workload` how pods are replaced and spread.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

_BUSY_PERCENT = 70  # of the CPU that a pod has reserved


@dataclass(frozen=True, kw_only=True)
class ScalingArgs:
    """What the number of pods depends on."""

    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    app: str
    """Name of both objects."""
    deployment: pulumi.Input[str]
    """Name of the Deployment, once it is there."""
    pod_labels: Mapping[str, str]
    """Labels of its pods."""
    replicas: int
    """Number of pods, at least; plain, since it decides which resources exist."""
    max_replicas: int
    """Number of pods at most; likewise."""


def autoscaled(replicas: int, max_replicas: int) -> bool:
    """Tell whether the number of pods is an autoscaler's to say."""
    return max_replicas > replicas


def scaling(name: str, args: ScalingArgs, opts: pulumi.ResourceOptions) -> None:
    """Make an autoscaler where there is room for one, and a disruption budget where a pod can be spared."""
    if autoscaled(args.replicas, args.max_replicas):
        _autoscaler(name, args, opts)
    if args.replicas > 1:
        _disruption_budget(name, args, opts)


def _autoscaler(name: str, args: ScalingArgs, opts: pulumi.ResourceOptions) -> None:
    kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
        f"{name}-autoscaler",
        metadata={"name": args.app, "namespace": args.namespace},
        spec={
            "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": args.deployment},
            "min_replicas": args.replicas,
            "max_replicas": args.max_replicas,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "average_utilization": _BUSY_PERCENT},
                    },
                }
            ],
        },
        opts=opts,
    )


def _disruption_budget(name: str, args: ScalingArgs, opts: pulumi.ResourceOptions) -> None:
    kubernetes.policy.v1.PodDisruptionBudget(
        f"{name}-disruption-budget",
        metadata={"name": args.app, "namespace": args.namespace},
        spec={"max_unavailable": 1, "selector": {"match_labels": args.pod_labels}},
        opts=opts,
    )
