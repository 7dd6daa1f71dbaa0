"""The nightly job that removes for good what people deleted long ago: rows and artifacts.

Leaves to MLflow what belongs to a deleted run, and to the bucket's versions how long even that can be brought back.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from components.kubernetes import authentication
from components.kubernetes.pod import PodSources, from_secret, pod_spec, variables
from components.kubernetes.server_command import BACKEND


@dataclass(frozen=True, kw_only=True)
class GarbageCollectionArgs:
    """What a GarbageCollection needs."""

    namespace: pulumi.Input[str]
    """Namespace of the CronJob."""
    app: str
    """Name of the server's Service, which is asked for artifacts, and what the pods are labelled after."""
    port: int
    """Port of the Service."""
    image: str
    """Image of the server, with tag or digest."""
    older_than: str
    """How long ago a run has to be deleted, such as 30d."""
    sources: PodSources
    """Where the pods find what they are told."""


class GarbageCollection(pulumi.ComponentResource):
    """A CronJob that runs `mlflow-collect-garbage` once a night."""

    name: pulumi.Output[str]
    """Name of the CronJob."""

    def __init__(self, name: str, args: GarbageCollectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:GarbageCollection", name, None, opts)
        job = kubernetes.batch.v1.CronJob(
            name,
            metadata={"name": "mlflow-garbage-collection", "namespace": args.namespace},
            spec={
                "schedule": "17 3 * * *",
                "concurrency_policy": "Forbid",
                "starting_deadline_seconds": 3600,
                # Said, so that an update lets it go on where an interrupted operation has held it off.
                "suspend": False,
                "job_template": {
                    "spec": {
                        # What stays this time would stay at once again.
                        "backoff_limit": 0,
                        "active_deadline_seconds": 6 * 3600,
                        # The alert lasts as long as the failed Job: until after the night that does better.
                        "ttl_seconds_after_finished": 36 * 3600,
                        "template": {
                            "metadata": {"labels": {"app": f"{args.app}-garbage-collection"}},
                            "spec": {**pod_spec(args.sources, _container(args)), "restart_policy": "Never"},
                        },
                    }
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = job.metadata.name
        self.register_outputs({"name": self.name})


def _container(args: GarbageCollectionArgs) -> ContainerArgsDict:
    login: list[EnvVarArgsDict] = []
    if args.sources.authentication is not None:
        password = from_secret(
            "MLFLOW_TRACKING_PASSWORD", args.sources.authentication.secret_name, authentication.PASSWORD_KEY
        )
        login = [*variables({"MLFLOW_TRACKING_USERNAME": authentication.ADMINISTRATOR}), password]
    return {
        "name": "garbage-collection",
        "image": args.image,
        "command": ["mlflow-collect-garbage", "--older-than", args.older_than, "--backend-store-uri", BACKEND],
        # Artifacts that pass through the server are known by its address alone.
        "env": [*variables({"MLFLOW_TRACKING_URI": f"http://{args.app}:{args.port}"}), *login],
        "resources": {
            "requests": {"cpu": "100m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
    }
