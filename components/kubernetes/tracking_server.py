"""The tracking server: everything in its namespace, wired to one another.

Owns the physical names that `kubectl` and clients use. Leaves to its parts what each is made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import ResourceRequirementsArgsDict

from components.database import Database
from components.kubernetes.address import Address, HostAddress, NodeAddress
from components.kubernetes.authentication import Authentication, AuthenticationArgs
from components.kubernetes.config import Config, ConfigArgs
from components.kubernetes.encryption import Encryption, EncryptionArgs
from components.kubernetes.garbage_collection import GarbageCollection, GarbageCollectionArgs
from components.kubernetes.ingress import Ingress, IngressArgs, farewell_seconds, service_annotations
from components.kubernetes.network_policy import NetworkPolicyArgs, network_policy
from components.kubernetes.pod import PodSources
from components.kubernetes.scaling import ScalingArgs, autoscaled, scaling
from components.kubernetes.secret import Secret, SecretArgs
from components.kubernetes.server_account import server_account
from components.kubernetes.server_command import ArtifactAccess, server_command, service_hosts
from components.kubernetes.service import Service, ServiceArgs
from components.kubernetes.workload import Workload, WorkloadArgs

NAMESPACE = "mlflow"
"""Namespace of the server."""
APP = "mlflow-tracking-server"
"""Name of the server's Deployment and of everything that stands beside it, such as Service and Ingress."""

_POD_LABELS = {"app": "mlflow-tracking-server-pods"}
_PORT = 5000
_LONGEST_LABEL = 63


@dataclass(frozen=True, kw_only=True)
class TrackingServerArgs:
    """What a TrackingServer needs; an Input comes from the Google Cloud layer, the rest is plain."""

    owner: str
    """Whose the namespace is; one of somebody else is not taken."""
    artifact_root: pulumi.Input[str]
    """`gs://` URL of the bucket."""
    database: Database
    """How the database is reached."""
    google_account: pulumi.Input[str] | None
    """Google service account that the pods are by Workload Identity, None without."""
    cloud_key: pulumi.Input[str] | None
    """Service account key (JSON, base64), where the server needs one."""
    storage_endpoint: str | None
    """URL of Cloud Storage, where it is not Google's public one; without TLS it is a stand-in's."""
    image: str
    """Image of the server, with tag or digest."""
    artifact_access: ArtifactAccess
    """Whether artifacts pass through the server."""
    replicas: int
    """Number of pods, at least."""
    max_replicas: int
    """Number of pods at most; with no more than `replicas` there is no autoscaler."""
    workers: int
    """Number of server processes in a pod."""
    resources: ResourceRequirementsArgsDict
    """CPU and memory, reserved and at most, of a pod."""
    address: Address
    """Where clients find the server."""
    encryption_generation: int
    """Counts keys of secrets in the database; one more is new keys."""
    users: bool
    """Whether people log in (basic-auth)."""
    metrics: bool
    """Whether Prometheus finds metrics."""
    deleted_run_retention: str | None
    """How long deleted runs are kept, such as 30d; None for ever."""
    after: Sequence[pulumi.Resource] = ()
    """What the server needs although nothing of it flows into the pods; all else here is made meanwhile."""


class TrackingServer(pulumi.ComponentResource):
    """An MLflow tracking server in a namespace of its own."""

    tracking_uri: pulumi.Output[str]
    """What clients set as MLFLOW_TRACKING_URI; known once the server is ready."""
    namespace: pulumi.Output[str]
    """Namespace of everything in it."""
    admin_password: pulumi.Output[str] | None
    """Password of the user `admin`, a secret; None where nobody logs in."""

    def __init__(self, name: str, args: TrackingServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:TrackingServer", name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        self.namespace = self._namespace()
        config, secret = self._config(), self._secret()
        users = self._users() if args.users else None
        encryption = self._encryption()
        sources = self._sources(config, secret, encryption, users)
        checksums = {
            "checksum/config": config.checksum,
            "checksum/secret": secret.checksum,
            "checksum/encryption": encryption.checksum,
        }
        if users is not None:
            checksums["checksum/users"] = users.checksum
        workload = self._workload(sources, checksums)
        self._scaling(workload)
        self._network_policy()
        if args.deleted_run_retention is not None:
            self._garbage_collection(sources, args.deleted_run_retention)
        ways_in = self._ways_in()
        self.admin_password = None if users is None else users.admin_password
        self.tracking_uri = pulumi.Output.all(workload.name, *ways_in).apply(lambda _: args.address.origin)
        self.register_outputs({"tracking_uri": self.tracking_uri, "namespace": self.namespace})

    def _namespace(self) -> pulumi.Output[str]:
        return kubernetes.core.v1.Namespace(
            self._name,
            metadata={
                "name": NAMESPACE,
                "labels": {
                    "app.kubernetes.io/instance": self._args.owner[:_LONGEST_LABEL].rstrip("-_."),
                    # Kubernetes itself turns away any pod here that is not locked down.
                    "pod-security.kubernetes.io/enforce": "restricted",
                },
            },
            opts=self._child,
        ).metadata.name

    def _config(self) -> Config:
        args = ConfigArgs(
            namespace=self.namespace, artifact_root=self._args.artifact_root, database=self._args.database
        )
        return Config(f"{self._name}-config", args, self._child)

    def _secret(self) -> Secret:
        args = SecretArgs(
            namespace=self.namespace,
            password=self._args.database.password,
            administrator_password=self._args.database.administrator_password,
            cloud_key=self._args.cloud_key,
        )
        return Secret(f"{self._name}-secret", args, self._child)

    def _users(self) -> Authentication:
        return Authentication(f"{self._name}-users", AuthenticationArgs(namespace=self.namespace), self._child)

    def _encryption(self) -> Encryption:
        args = EncryptionArgs(namespace=self.namespace, generation=self._args.encryption_generation)
        return Encryption(f"{self._name}-encryption", args, self._child)

    def _sources(
        self, config: Config, secret: Secret, encryption: Encryption, users: Authentication | None
    ) -> PodSources:
        return PodSources(
            namespace=self.namespace,
            account_name=server_account(
                self._name,
                namespace=self.namespace,
                account=APP,
                google_account=self._args.google_account,
                opts=self._child,
            ),
            config_name=config.name,
            ca_name=config.ca_name,
            secret_name=secret.name,
            administrator_name=secret.administrator_name,
            encryption=encryption,
            cloud_key_name=secret.cloud_key_name,
            google_account=self._args.google_account,
            storage_endpoint=self._args.storage_endpoint,
            authentication=users,
        )

    def _workload(self, sources: PodSources, checksums: dict[str, pulumi.Output[str]]) -> Workload:
        args = self._args
        command = server_command(
            port=_PORT,
            workers=args.workers,
            access=args.artifact_access,
            address=args.address,
            service_hosts=service_hosts(APP, NAMESPACE),
            users=args.users,
            metrics=args.metrics,
        )
        return Workload(
            f"{self._name}-server",
            WorkloadArgs(
                namespace=self.namespace,
                app=APP,
                pod_labels=_POD_LABELS,
                image=args.image,
                command=command,
                port=_PORT,
                replicas=None if autoscaled(args.replicas, args.max_replicas) else args.replicas,
                resources=args.resources,
                sources=sources,
                checksums=checksums,
                metrics=args.metrics,
                farewell_seconds=farewell_seconds(args.address),
                after=args.after,
            ),
            self._child,
        )

    def _scaling(self, workload: Workload) -> None:
        args = ScalingArgs(
            namespace=self.namespace,
            app=APP,
            deployment=workload.name,
            pod_labels=_POD_LABELS,
            replicas=self._args.replicas,
            max_replicas=self._args.max_replicas,
        )
        scaling(self._name, args, self._child)

    def _network_policy(self) -> None:
        args = NetworkPolicyArgs(
            namespace=self.namespace,
            app=APP,
            pod_labels=_POD_LABELS,
            port=_PORT,
            metrics=self._args.metrics,
            database_host=self._args.database.host,
            storage_endpoint=self._args.storage_endpoint,
        )
        network_policy(self._name, args, self._child)

    def _garbage_collection(self, sources: PodSources, older_than: str) -> None:
        args = GarbageCollectionArgs(
            namespace=self.namespace,
            app=APP,
            port=_PORT,
            image=self._args.image,
            older_than=older_than,
            sources=sources,
        )
        GarbageCollection(f"{self._name}-garbage-collection", args, self._child)

    def _ways_in(self) -> list[pulumi.Output[str]]:
        """Make the Service and, for a host, the Ingress; return what is known once they answer."""
        address = self._args.address
        service = ServiceArgs(
            namespace=self.namespace,
            service_name=APP,
            pod_labels=_POD_LABELS,
            port=_PORT,
            node_port=address.port if isinstance(address, NodeAddress) else None,
            annotations=service_annotations(address, APP),
        )
        ready = [Service(f"{self._name}-service", service, self._child).name]
        if isinstance(address, HostAddress):
            ingress = IngressArgs(namespace=self.namespace, app=APP, port=_PORT, address=address)
            ready.append(Ingress(f"{self._name}-ingress", ingress, self._child).host)
        return ready
