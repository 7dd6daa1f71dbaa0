"""What runs: a Job that brings the database's schema up to date, then the Deployment of the server.

Owns order, size, probes and roll-out. Leaves to `pod` what a pod reads and may do, to `server_command` what it is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import ContainerArgsDict, ProbeArgsDict, ResourceRequirementsArgsDict

from components.kubernetes.pod import PodSources, pod_spec
from components.kubernetes.server_command import MIGRATION

# Enough for the migration to import MLflow; little CPU is reserved, so that it fits beside the server it makes way for.
_MIGRATION_RESOURCES: ResourceRequirementsArgsDict = {
    "requests": {"cpu": "100m", "memory": "512Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}


@dataclass(frozen=True, kw_only=True)
class WorkloadArgs:
    """What a Workload needs."""

    namespace: pulumi.Input[str]
    """Namespace of Job and Deployment."""
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
    replicas: int
    """Number of pods."""
    resources: ResourceRequirementsArgsDict
    """CPU and memory, reserved and at most, of a server pod."""
    sources: PodSources
    """Where the pods find what they are told."""
    annotations: Mapping[str, pulumi.Input[str]]
    """Annotations of the pods; a change of one rolls them."""
    after: Sequence[pulumi.Resource] = ()
    """What the server needs although nothing of it flows into the pods."""


class Workload(pulumi.ComponentResource):
    """The migration Job and, once it is done, the Deployment."""

    name: pulumi.Output[str]
    """Name of the Deployment, known once all its pods are ready."""

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Workload", name, None, opts)
        migration = self._migration(name, args)
        deployment = self._deployment(name, args, migration)
        self.name = deployment.metadata.name
        self.register_outputs({"name": self.name})

    def _migration(self, name: str, args: WorkloadArgs) -> kubernetes.batch.v1.Job:
        container: ContainerArgsDict = {
            "name": "migration",
            "image": args.image,
            "command": list(MIGRATION),
            "resources": _MIGRATION_RESOURCES,
        }
        return kubernetes.batch.v1.Job(
            f"{name}-migration",
            # Without a name of its own: a Job cannot be changed, so each new one runs beside the last.
            metadata={"namespace": args.namespace},
            spec={
                "backoff_limit": 3,
                "active_deadline_seconds": 600,
                "template": {
                    "metadata": {"labels": {"app": f"{args.app}-migration"}, "annotations": args.annotations},
                    "spec": {**pod_spec(args.sources, container), "restart_policy": "Never"},
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _deployment(
        self, name: str, args: WorkloadArgs, migration: kubernetes.batch.v1.Job
    ) -> kubernetes.apps.v1.Deployment:
        return kubernetes.apps.v1.Deployment(
            name,
            metadata={"name": args.app, "namespace": args.namespace, "labels": {"app": args.app}},
            spec={
                "replicas": args.replicas,
                "selector": {"match_labels": args.pod_labels},
                # A pod goes only after its successor is ready.
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_surge": 1, "max_unavailable": 0},
                },
                "template": {
                    "metadata": {"labels": args.pod_labels, "annotations": args.annotations},
                    "spec": {
                        **pod_spec(args.sources, _server_container(args)),
                        "termination_grace_period_seconds": 60,
                    },
                },
            },
            # Nothing of the Job flows into the pods, yet replicas that met an old schema would race to migrate it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[migration, *args.after]),
        )


def _server_container(args: WorkloadArgs) -> ContainerArgsDict:
    return {
        "name": f"{args.app}-pod",
        "image": args.image,
        "command": list(args.command),
        "ports": [{"name": "http", "container_port": args.port, "protocol": "TCP"}],
        "resources": args.resources,
        # MLflow waits up to 108 s for its database before it gives up; the cluster has to be the more patient one.
        "startup_probe": _probe(args.port, period=2, failures=120),
        "liveness_probe": _probe(args.port, period=10, failures=6),
        "readiness_probe": _probe(args.port, period=2, failures=3),
        # A node goes on sending requests for about a second after a pod is asked to stop.
        "lifecycle": {"pre_stop": {"sleep": {"seconds": 5}}},
    }


def _probe(port: int, *, period: int, failures: int) -> ProbeArgsDict:
    return {
        "http_get": {"path": "/health", "port": port},
        "period_seconds": period,
        "failure_threshold": failures,
        "timeout_seconds": 5,
    }
