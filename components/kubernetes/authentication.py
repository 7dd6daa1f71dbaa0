"""MLflow's own users (basic-auth): where their table is, the first administrator, the key that signs sessions.

Owns both generated secrets and the configuration file. Leaves the tables, and the administrator's account, to
`migration`, which gives it the generated password again each time; leaves all other users to MLflow.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.kubernetes.checksum import checksum
from components.kubernetes.server_command import BACKEND

CONFIG_FILE = "basic_auth.ini"
"""Key of the configuration in the ConfigMap, and so the name of the mounted file."""
PASSWORD_KEY = "admin-password"  # noqa: S105 - the name of a key, not a password
"""Key of the administrator's password in the Secret."""
SIGNING_KEY = "flask-secret-key"
"""Key of what sessions are signed with in the Secret; one for all replicas."""
ADMINISTRATOR = "admin"
"""Name of the first user."""

# A team reads one another's experiments and changes its own; MLflow's default, said. Without the cache each request
# would compute a password's hash anew: 215 ms of CPU instead of 6. A changed password counts after as many seconds.
_CONFIG = f"""\
[mlflow]
default_permission = READ
database_uri = {BACKEND}
admin_username = {ADMINISTRATOR}
auth_cache_ttl_seconds = 60
"""


@dataclass(frozen=True, kw_only=True)
class AuthenticationArgs:
    """What an Authentication needs."""

    namespace: pulumi.Input[str]
    """Namespace of ConfigMap and Secret."""


class Authentication(pulumi.ComponentResource):
    """The ConfigMap `mlflow-auth` and the Secret `mlflow-auth-credentials`."""

    config_name: pulumi.Output[str]
    """Name of the ConfigMap."""
    secret_name: pulumi.Output[str]
    """Name of the Secret."""
    admin_password: pulumi.Output[str]
    """Password of the user `admin`, a secret of 32 characters."""
    checksum: pulumi.Output[str]
    """Checksum of everything in both, a secret."""

    def __init__(self, name: str, args: AuthenticationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Authentication", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.admin_password = self._generated(f"{name}-admin-password")
        secrets = {PASSWORD_KEY: self.admin_password, SIGNING_KEY: self._generated(f"{name}-signing-key")}
        self.config_name = kubernetes.core.v1.ConfigMap(
            name, metadata={"name": "mlflow-auth", "namespace": args.namespace}, data={CONFIG_FILE: _CONFIG}, opts=child
        ).metadata.name
        self.secret_name = kubernetes.core.v1.Secret(
            name,
            metadata={"name": "mlflow-auth-credentials", "namespace": args.namespace},
            type="Opaque",
            string_data=secrets,
            opts=child,
        ).metadata.name
        self.checksum = pulumi.Output.secret(checksum({CONFIG_FILE: _CONFIG, **secrets}))
        self.register_outputs({"config_name": self.config_name, "secret_name": self.secret_name})

    def _generated(self, name: str) -> pulumi.Output[str]:
        # Letters and digits only: people type it, and a configuration file may have to quote anything else.
        generated = random.RandomPassword(name, length=32, special=False, opts=pulumi.ResourceOptions(parent=self))
        return pulumi.Output.secret(generated.result)
