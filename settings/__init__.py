"""The settings of a stack: the only reader of pulumi.Config.

Owns which settings there are, which rule each follows and that all problems of a run are told at once, before any
resource is touched. Leaves types, defaults and descriptions to the schema in Pulumi.yaml.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import pulumi

from settings import continuity, google, kubernetes, server, together
from settings.reader import Reader
from settings.rule import shown
from settings.state import deployed

__all__ = ["Settings", "deployed"]

_Access = Literal["proxied", "direct"]
_Authentication = Literal["none", "basic"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack is made of; every value has passed its rule."""

    project: str
    access_token: pulumi.Output[str] | None
    """Token in place of Google's application default credentials, for a stand-in; secret."""
    sql_endpoint: str | None
    storage_endpoint: str | None
    iam_endpoint: str | None
    compute_endpoint: str | None
    service_networking_endpoint: str | None
    resource_manager_endpoint: str | None
    context: str
    durable: bool
    deletion_protection: bool
    region: str
    network: str | None
    own_peering: bool
    database_instance: str
    database_version: str
    database_tier: str
    database_storage_limit: int
    """GiB."""
    database_user: str
    database_password_generation: int
    maintenance_window: str | None
    authorized_networks: Sequence[str]
    bucket_name: str
    artifact_access: _Access
    workload_identity: bool
    image: str
    replicas: int
    max_replicas: int
    """0 for no more than `replicas`."""
    workers: int
    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str
    disk_request: str | None
    node_address: str
    """Empty where `host` is set."""
    node_port: int
    host: str | None
    ingress_class: str | None
    tls_certificate: str | None
    tls_key: pulumi.Output[str] | None
    encryption_generation: int
    authentication: _Authentication
    metrics: bool
    deleted_run_retention: str | None

    @property
    def protected(self) -> bool:
        """Whether Pulumi and Google refuse to delete what holds data."""
        return self.durable and self.deletion_protection

    @staticmethod
    def load(before: Callable[[], Mapping[str, str]] = dict) -> "Settings":
        """Return the settings of the current stack.

        Args:
            before: tells the settings that it is deployed with, by key, as `deployed` does; is asked once all else is
                right, since the engine notes in its state that it was.

        Raises pulumi.RunError naming every setting that is wrong, its value and the remedy.

        """
        read = Reader()
        settings = _read(read)
        for key, value, problem, needed in together.problems(settings):
            if read.sound(key, *needed):
                read.hold(key, value, problem)
        read.report()
        for key, value, problem, _ in continuity.problems(settings, before()):
            read.hold(key, value, problem)
        read.report()
        if doubt := google.doubt_about_region(settings.region):
            pulumi.log.warn(f"mlflow:region is {shown(settings.region)}: {doubt}")
        return settings


def _read(read: Reader) -> Settings:
    project = read.text("gcp:project", google.project)
    return Settings(
        project=project,
        access_token=read.token("gcp:accessToken", _ENDPOINTS),
        sql_endpoint=read.optional("gcp:sqlCustomEndpoint", server.url),
        storage_endpoint=read.optional("gcp:storageCustomEndpoint", server.url),
        iam_endpoint=read.optional("gcp:iamCustomEndpoint", server.url),
        compute_endpoint=read.optional("gcp:computeCustomEndpoint", server.url),
        service_networking_endpoint=read.optional("gcp:serviceNetworkingCustomEndpoint", server.url),
        resource_manager_endpoint=read.optional("gcp:resourceManagerCustomEndpoint", server.url),
        context=read.text("kubernetes:context", server.not_empty(_CONTEXT_REMEDY)),
        durable=read.flag("mlflow:durable"),
        deletion_protection=read.flag("mlflow:deletionProtection"),
        region=read.text("mlflow:region", google.region),
        network=read.optional("mlflow:network", google.network),
        own_peering=read.flag("mlflow:ownPeering"),
        database_instance=read.text("mlflow:databaseInstance", google.database_instance),
        database_version=read.text("mlflow:databaseVersion", google.database_version),
        database_tier=read.text("mlflow:databaseTier", google.database_tier),
        database_storage_limit=read.integer("mlflow:databaseStorageLimit", google.storage_limit),
        database_user=read.text("mlflow:databaseUser", google.database_user),
        database_password_generation=read.integer("mlflow:databasePasswordGeneration", server.generation),
        maintenance_window=read.optional("mlflow:maintenanceWindow", google.maintenance_window),
        authorized_networks=read.texts("mlflow:authorizedNetworks", google.authorized_networks),
        bucket_name=read.optional("mlflow:bucketName", google.bucket_name) or f"{project}-mlflow-artefacts",
        artifact_access=cast("_Access", read.text("mlflow:artifactAccess", server.one_of(get_args(_Access)))),
        workload_identity=read.flag("mlflow:workloadIdentity"),
        image=read.text("mlflow:image", kubernetes.image),
        replicas=read.integer("mlflow:replicas", kubernetes.pods(1)),
        max_replicas=read.integer("mlflow:maxReplicas", kubernetes.pods(0)),
        workers=read.integer("mlflow:workers", server.workers),
        cpu_request=read.text("mlflow:cpuRequest", kubernetes.cpu),
        cpu_limit=read.text("mlflow:cpuLimit", kubernetes.cpu),
        memory_request=read.text("mlflow:memoryRequest", kubernetes.memory),
        memory_limit=read.text("mlflow:memoryLimit", kubernetes.memory),
        disk_request=read.optional("mlflow:diskRequest", kubernetes.memory),
        node_address=read.optional("mlflow:nodeAddress", kubernetes.node_address) or "",
        node_port=read.integer("mlflow:nodePort", kubernetes.node_port),
        host=read.optional("mlflow:host", kubernetes.host),
        ingress_class=read.optional("mlflow:ingressClass", kubernetes.ingress_class),
        tls_certificate=read.optional("mlflow:tlsCertificate", kubernetes.certificate),
        tls_key=read.secret("mlflow:tlsKey", kubernetes.private_key),
        encryption_generation=read.integer("mlflow:encryptionGeneration", server.generation),
        authentication=cast(
            "_Authentication", read.text("mlflow:authentication", server.one_of(get_args(_Authentication)))
        ),
        metrics=read.flag("mlflow:metrics"),
        deleted_run_retention=read.optional("mlflow:deletedRunRetention", server.retention),
    )


_ENDPOINTS = tuple(
    f"gcp:{service}CustomEndpoint"
    for service in ("sql", "storage", "iam", "compute", "serviceNetworking", "resourceManager")
)
_CONTEXT_REMEDY = (
    "no cluster is named; type `pulumi config set kubernetes:context <name>`, `kubectl config get-contexts` lists them"
)
