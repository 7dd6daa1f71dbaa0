"""The tracking server: namespace, config, secret, workload and service, wired to one another.

Owns the physical names that `kubectl` and clients use. Leaves to its four parts what each is made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import ResourceRequirementsArgsDict

from components.kubernetes.config import Config, ConfigArgs
from components.kubernetes.pod import PodSources
from components.kubernetes.secret import Secret, SecretArgs
from components.kubernetes.server_command import ArtifactAccess, allowed_hosts, server_command
from components.kubernetes.service import Service, ServiceArgs
from components.kubernetes.workload import Workload, WorkloadArgs

_NAMESPACE = "mlflow"
_APP = "mlflow-tracking-server"
_POD_LABELS = {"app": "mlflow-tracking-server-pods"}
_PORT = 5000


@dataclass(frozen=True, kw_only=True)
class TrackingServerArgs:
    """What a TrackingServer needs; an Input comes from the Google Cloud layer, the rest is plain."""

    artifact_root: pulumi.Input[str]
    """`gs://` URL of the bucket."""
    database_host: pulumi.Input[str]
    """IP address of the database."""
    database: pulumi.Input[str]
    """Name of the database."""
    database_user: pulumi.Input[str]
    """Account at the database."""
    database_password: pulumi.Input[str]
    """Password of the account."""
    database_ca: pulumi.Input[str]
    """Certificate (PEM) of the authority behind the database's certificate."""
    cloud_key: pulumi.Input[str] | None
    """Service account key (JSON, base64), where the server needs one."""
    storage_emulator: str | None
    """URL of a stand-in for Cloud Storage, where one is used."""
    image: str
    """Image of the server, with tag or digest."""
    artifact_access: ArtifactAccess
    """Whether artifacts pass through the server."""
    replicas: int
    """Number of pods."""
    workers: int
    """Number of server processes in a pod."""
    resources: ResourceRequirementsArgsDict
    """CPU and memory, reserved and at most, of a pod."""
    node_address: str
    """IPv4 address or DNS name of a node as clients see it."""
    node_port: int
    """Port of the server on every node."""
    after: Sequence[pulumi.Resource] = ()
    """What the server needs although nothing of it flows into the pods; all else here is made meanwhile."""


class TrackingServer(pulumi.ComponentResource):
    """An MLflow tracking server in a namespace of its own."""

    tracking_uri: pulumi.Output[str]
    """What clients set as MLFLOW_TRACKING_URI; known once the server is ready."""
    namespace: pulumi.Output[str]
    """Namespace of everything in it."""

    def __init__(self, name: str, args: TrackingServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:TrackingServer", name, None, opts)
        self.namespace = self._namespace(name)
        config = self._config(name, args)
        secret = self._secret(name, args)
        workload = self._workload(name, args, config, secret)
        service = self._service(name, args)
        self.tracking_uri = pulumi.Output.all(service.node_port, workload.name).apply(
            lambda ready: f"http://{args.node_address}:{ready[0]}"
        )
        self.register_outputs({"tracking_uri": self.tracking_uri, "namespace": self.namespace})

    def _namespace(self, name: str) -> pulumi.Output[str]:
        return kubernetes.core.v1.Namespace(
            name,
            # Kubernetes itself turns away any pod here that is not locked down.
            metadata={
                "name": _NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=pulumi.ResourceOptions(parent=self),
        ).metadata.name

    def _config(self, name: str, args: TrackingServerArgs) -> Config:
        return Config(
            f"{name}-config",
            ConfigArgs(
                namespace=self.namespace,
                artifact_root=args.artifact_root,
                database=args.database,
                user=args.database_user,
                host=args.database_host,
                server_ca=args.database_ca,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _secret(self, name: str, args: TrackingServerArgs) -> Secret:
        return Secret(
            f"{name}-secret",
            SecretArgs(namespace=self.namespace, password=args.database_password, cloud_key=args.cloud_key),
            pulumi.ResourceOptions(parent=self),
        )

    def _workload(self, name: str, args: TrackingServerArgs, config: Config, secret: Secret) -> Workload:
        return Workload(
            f"{name}-server",
            WorkloadArgs(
                namespace=self.namespace,
                app=_APP,
                pod_labels=_POD_LABELS,
                image=args.image,
                command=_command(args),
                port=_PORT,
                replicas=args.replicas,
                resources=args.resources,
                sources=PodSources(
                    config_name=config.name,
                    ca_name=config.ca_name,
                    secret_name=secret.name,
                    cloud_key_name=secret.cloud_key_name,
                    storage_emulator=args.storage_emulator,
                ),
                annotations={"checksum/config": config.checksum, "checksum/secret": secret.checksum},
                after=args.after,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _service(self, name: str, args: TrackingServerArgs) -> Service:
        return Service(
            f"{name}-service",
            ServiceArgs(
                namespace=self.namespace,
                service_name=_APP,
                pod_labels=_POD_LABELS,
                port=_PORT,
                node_port=args.node_port,
            ),
            pulumi.ResourceOptions(parent=self),
        )


def _command(args: TrackingServerArgs) -> list[str]:
    return server_command(
        port=_PORT,
        workers=args.workers,
        access=args.artifact_access,
        hosts=allowed_hosts(
            node_address=args.node_address,
            node_port=args.node_port,
            service=_APP,
            namespace=_NAMESPACE,
            port=_PORT,
        ),
        origin=f"http://{args.node_address}:{args.node_port}",
    )
