"""Secrets of the tracking server: passwords at the database and, where there is one, the Google Cloud key.

Owns everything that must not be seen. Leaves to `workload` how a pod reads it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.checksum import checksum

PASSWORD_KEY = "postgresql-password"  # noqa: S105 - the name of a key, not a password
"""Key of the password in the Secrets `mlflow-postgresql-credentials` and `mlflow-postgresql-administrator`."""

CLOUD_KEY_FILE = "key.json"
"""Key of the service account key in the Secret `mlflow-gcp-credentials`, and so the name of the mounted file."""


@dataclass(frozen=True, kw_only=True)
class SecretArgs:
    """What the server is told in confidence."""

    namespace: pulumi.Input[str]
    """Namespace of the Secrets."""
    password: pulumi.Input[str]
    """Password at the database."""
    administrator_password: pulumi.Input[str] | None
    """Password of the database's administrator; None, which makes no Secret, where the server's account is that one."""
    cloud_key: pulumi.Input[str] | None
    """Service account key (JSON, base64); None, which makes no Secret, where the server needs none."""


class Secret(pulumi.ComponentResource):
    """The Secret `mlflow-postgresql-credentials` and, where they are needed, two more."""

    name: pulumi.Output[str]
    """Name of the Secret with the password."""
    administrator_name: pulumi.Output[str] | None
    """Name of the Secret with the administrator's password; None without one."""
    cloud_key_name: pulumi.Output[str] | None
    """Name of the Secret with the service account key; None without one."""
    checksum: pulumi.Output[str]
    """Checksum of what the server's pods read of them, a secret."""

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Secret", name, None, opts)
        self._namespace = args.namespace
        self.name = self._credentials(name, "database", "mlflow-postgresql-credentials", args.password)
        self.administrator_name = None
        if args.administrator_password is not None:
            self.administrator_name = self._credentials(
                name, "administrator", "mlflow-postgresql-administrator", args.administrator_password
            )
        content: dict[str, pulumi.Input[str]] = {PASSWORD_KEY: args.password}
        self.cloud_key_name = None
        if args.cloud_key is not None:
            content[CLOUD_KEY_FILE] = args.cloud_key
            self.cloud_key_name = self._cloud_key(name, args.cloud_key)
        self.checksum = pulumi.Output.secret(checksum(content))
        self.register_outputs(
            {
                "name": self.name,
                "administrator_name": self.administrator_name,
                "cloud_key_name": self.cloud_key_name,
                "checksum": self.checksum,
            }
        )

    def _credentials(self, name: str, role: str, physical_name: str, password: pulumi.Input[str]) -> pulumi.Output[str]:
        return kubernetes.core.v1.Secret(
            f"{name}-{role}",
            metadata={"name": physical_name, "namespace": self._namespace},
            type="Opaque",
            string_data={PASSWORD_KEY: password},
            opts=pulumi.ResourceOptions(parent=self),
        ).metadata.name

    def _cloud_key(self, name: str, key: pulumi.Input[str]) -> pulumi.Output[str]:
        return kubernetes.core.v1.Secret(
            f"{name}-cloud-key",
            metadata={"name": "mlflow-gcp-credentials", "namespace": self._namespace},
            type="Opaque",
            data={CLOUD_KEY_FILE: key},
            opts=pulumi.ResourceOptions(parent=self),
        ).metadata.name
