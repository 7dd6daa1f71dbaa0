"""Secrets of the tracking server: the database password and, where there is one, the Google Cloud key.

Owns everything that must not be seen. Leaves to `workload` how a pod reads it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.checksum import checksum

PASSWORD_KEY = "postgresql-password"  # noqa: S105 - the name of a key, not a password
"""Key of the password in the Secret `mlflow-postgresql-credentials`."""

CLOUD_KEY_FILE = "key.json"
"""Key of the service account key in the Secret `mlflow-gcp-credentials`, and so the name of the mounted file."""


@dataclass(frozen=True, kw_only=True)
class SecretArgs:
    """What the server is told in confidence."""

    namespace: pulumi.Input[str]
    """Namespace of the Secrets."""
    password: pulumi.Input[str]
    """Password at the database."""
    cloud_key: pulumi.Input[str] | None
    """Service account key (JSON, base64); None, which makes no Secret, where the server needs none."""


class Secret(pulumi.ComponentResource):
    """The Secrets `mlflow-postgresql-credentials` and, where there is a key, `mlflow-gcp-credentials`."""

    name: pulumi.Output[str]
    """Name of the Secret with the password."""
    cloud_key_name: pulumi.Output[str] | None
    """Name of the Secret with the service account key; None without one."""
    checksum: pulumi.Output[str]
    """Checksum of everything in both, a secret."""

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Secret", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        database = kubernetes.core.v1.Secret(
            f"{name}-database",
            metadata={"name": "mlflow-postgresql-credentials", "namespace": args.namespace},
            type="Opaque",
            string_data={PASSWORD_KEY: args.password},
            opts=child,
        )
        content: dict[str, pulumi.Input[str]] = {PASSWORD_KEY: args.password}
        self.name = database.metadata.name
        self.cloud_key_name = None
        if args.cloud_key is not None:
            cloud = kubernetes.core.v1.Secret(
                f"{name}-cloud-key",
                metadata={"name": "mlflow-gcp-credentials", "namespace": args.namespace},
                type="Opaque",
                data={CLOUD_KEY_FILE: args.cloud_key},
                opts=child,
            )
            content[CLOUD_KEY_FILE] = args.cloud_key
            self.cloud_key_name = cloud.metadata.name
        self.checksum = pulumi.Output.secret(checksum(content))
        self.register_outputs({"name": self.name, "cloud_key_name": self.cloud_key_name, "checksum": self.checksum})
