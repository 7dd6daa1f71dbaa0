"""What runs: a Job that brings the database up to date, the Deployment of the server, then a Job that tidies up.

Owns order, size, probes, spread and roll-out. Leaves to `pod` what a pod reads and may do, to `migration` the Job's
steps, to `server_command` what the server is told, to `scaling` how many pods there are under load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    ProbeArgsDict,
    ResourceRequirementsArgsDict,
    TopologySpreadConstraintArgsDict,
)

from components.kubernetes.metrics import ANNOTATIONS, MOUNT, VOLUME, metrics_container
from components.kubernetes.migration import DatabaseJobArgs, migration, retirement
from components.kubernetes.pod import PodSources, pod_spec

if TYPE_CHECKING:
    from pulumi_kubernetes.apps.v1 import DeploymentSpecArgsDict

_LAST_REQUEST_SECONDS = 55
_ROLLOUT = "30m"  # pods are replaced one by one, each perhaps on a node that comes up first


@dataclass(frozen=True, kw_only=True)
class WorkloadArgs:
    """What a Workload needs."""

    namespace: pulumi.Input[str]
    """Namespace of Jobs and Deployment."""
    app: str
    """Name of the Deployment and value of its label `app`."""
    pod_labels: Mapping[str, str]
    """Labels of the server's pods."""
    image: str
    """Image of the server, with tag or digest."""
    command: Sequence[str]
    """Command line of the server."""
    port: int
    """Port the server listens on."""
    replicas: int | None
    """Number of pods; None where an autoscaler says it."""
    resources: ResourceRequirementsArgsDict
    """CPU and memory, reserved and at most, of a server pod."""
    sources: PodSources
    """Where the pods find what they are told."""
    checksums: Mapping[str, pulumi.Input[str]]
    """Annotations of all pods that say what they were told; a change of one rolls them."""
    metrics: bool
    """Whether Prometheus finds metrics in the pods."""
    farewell_seconds: int
    """For how long a pod that is asked to stop is still sent requests."""
    after: Sequence[pulumi.Resource] = ()
    """What the pods need although nothing of it flows into them."""


class Workload(pulumi.ComponentResource):
    """The migration Job and, once it is done, the Deployment."""

    name: pulumi.Output[str]
    """Name of the Deployment, known once all its pods are ready."""

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Workload", name, None, opts)
        job = DatabaseJobArgs(
            namespace=args.namespace,
            app=args.app,
            image=args.image,
            sources=args.sources,
            annotations=args.checksums,
        )
        migrated = migration(name, job, pulumi.ResourceOptions(parent=self, depends_on=args.after))
        deployment = self._deployment(name, args, migrated)
        # Pods of before use the account and the keys of before until the last of them is gone.
        retirement(name, job, _grace_seconds(args), pulumi.ResourceOptions(parent=self, depends_on=[deployment]))
        self.name = deployment.metadata.name
        self.register_outputs({"name": self.name})

    def _deployment(
        self, name: str, args: WorkloadArgs, migrated: kubernetes.batch.v1.Job
    ) -> kubernetes.apps.v1.Deployment:
        server, sidecars = _server_container(args), list[ContainerArgsDict]()
        annotations = dict(args.checksums)
        if args.metrics:
            server["volume_mounts"] = [MOUNT]
            sidecars.append(metrics_container(args.image))
            annotations |= ANNOTATIONS
        spec: DeploymentSpecArgsDict = {
            "selector": {"match_labels": args.pod_labels},
            # A pod goes only after its successor is ready.
            "strategy": {"type": "RollingUpdate", "rolling_update": {"max_surge": 1, "max_unavailable": 0}},
            "template": {
                "metadata": {"labels": args.pod_labels, "annotations": annotations},
                "spec": {
                    **pod_spec(args.sources, server, sidecars=sidecars, shared=[VOLUME] if args.metrics else []),
                    "termination_grace_period_seconds": _grace_seconds(args),
                    "topology_spread_constraints": [
                        _spread(args, "topology.kubernetes.io/zone"),
                        _spread(args, "kubernetes.io/hostname"),
                    ],
                },
            },
        }
        if args.replicas is not None:
            spec["replicas"] = args.replicas
        return kubernetes.apps.v1.Deployment(
            name,
            metadata={"name": args.app, "namespace": args.namespace, "labels": {"app": args.app}},
            spec=spec,
            # Nothing of the Job flows into the pods, yet replicas that met an old schema would race to migrate it.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[migrated],
                custom_timeouts=pulumi.CustomTimeouts(create=_ROLLOUT, update=_ROLLOUT),
            ),
        )


def _grace_seconds(args: WorkloadArgs) -> int:
    return args.farewell_seconds + _LAST_REQUEST_SECONDS


def _spread(args: WorkloadArgs, topology: str) -> TopologySpreadConstraintArgsDict:
    """Return the wish that pods stand apart; one pod more than there are places must start all the same."""
    return {
        "max_skew": 1,
        "topology_key": topology,
        "when_unsatisfiable": "ScheduleAnyway",
        "label_selector": {"match_labels": args.pod_labels},
    }


def _server_container(args: WorkloadArgs) -> ContainerArgsDict:
    alive: ProbeArgsDict = {"http_get": {"path": "/health", "port": args.port}, "timeout_seconds": 5}
    return {
        "name": f"{args.app}-pod",
        "image": args.image,
        "command": list(args.command),
        "ports": [{"name": "http", "container_port": args.port, "protocol": "TCP"}],
        "resources": args.resources,
        # MLflow waits up to 108 s for its database before it gives up; the cluster has to be the more patient one.
        "startup_probe": {**alive, "period_seconds": 2, "failure_threshold": 120},
        "liveness_probe": {**alive, "period_seconds": 10, "failure_threshold": 6},
        # /health answers without the database as well: a pod that has lost it lives, but takes no requests.
        "readiness_probe": {
            "exec_": {"command": ["mlflow-ready", str(args.port)]},
            "period_seconds": 5,
            "failure_threshold": 3,
            "timeout_seconds": 10,
        },
        "lifecycle": {"pre_stop": {"exec_": {"command": ["mlflow-farewell", str(args.farewell_seconds)]}}},
    }
