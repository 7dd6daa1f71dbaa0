"""ConfigMaps of the tracking server: its settings, and the authority that its database's certificate is checked with.

Owns everything that is no secret. Leaves to `workload` how a pod reads it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.database import Database
from components.kubernetes.checksum import checksum

CA_FILE = "server-ca.pem"
"""Key of the certificate in the ConfigMap `mlflow-database-ca`, and so the name of the mounted file."""


@dataclass(frozen=True, kw_only=True)
class ConfigArgs:
    """What the server is told in the open."""

    namespace: pulumi.Input[str]
    """Namespace of the ConfigMaps."""
    artifact_root: pulumi.Input[str]
    """`gs://` URL of the bucket."""
    database: Database
    """How the database is reached; of its secrets nothing is used here."""


class Config(pulumi.ComponentResource):
    """The ConfigMaps `mlflow-configmap` and `mlflow-database-ca`."""

    name: pulumi.Output[str]
    """Name of the ConfigMap with the settings."""
    ca_name: pulumi.Output[str]
    """Name of the ConfigMap with the certificate."""
    checksum: pulumi.Output[str]
    """Checksum of everything in both."""

    def __init__(self, name: str, args: ConfigArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Config", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings: dict[str, pulumi.Input[str]] = {
            "DEFAULT_ARTIFACT_ROOT": args.artifact_root,
            "DB_NAME": args.database.name,
            "DB_USERNAME": args.database.user,
            "DB_HOST": args.database.host,
        }
        authority = {CA_FILE: args.database.server_ca}
        settings_map = kubernetes.core.v1.ConfigMap(
            f"{name}-settings",
            metadata={"name": "mlflow-configmap", "namespace": args.namespace},
            data=settings,
            opts=child,
        )
        authority_map = kubernetes.core.v1.ConfigMap(
            f"{name}-database-ca",
            metadata={"name": "mlflow-database-ca", "namespace": args.namespace},
            data=authority,
            opts=child,
        )
        self.name = settings_map.metadata.name
        self.ca_name = authority_map.metadata.name
        self.checksum = checksum({**settings, **authority})
        self.register_outputs({"name": self.name, "ca_name": self.ca_name, "checksum": self.checksum})
