"""The metadata database: one Cloud SQL for PostgreSQL instance with a public address and a generated password.

Owns the instance, its password and who may connect. Leaves to others what is inside the database: the server's own
migration makes its tables in the database `postgres` that every instance is born with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

# Cloud SQL takes 20 to 40 minutes over an instance; giving up earlier would leave one behind that nobody tracks.
_TIMEOUTS = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")


@dataclass(frozen=True, kw_only=True)
class CloudSqlPostgresArgs:
    """What a CloudSqlPostgres needs; all plain values, since they decide what is bought."""

    instance_name: str
    """Physical name of the instance."""
    region: str
    """Google Cloud region, such as asia-southeast1."""
    version: str
    """Version as Cloud SQL names it, such as POSTGRES_14."""
    tier: str
    """Machine type, such as db-custom-2-3840."""
    authorized_networks: Sequence[str]
    """IPv4 CIDRs that may open a connection."""
    labels: dict[str, str]
    """Labels of the instance."""


class CloudSqlPostgres(pulumi.ComponentResource):
    """A PostgreSQL server at Cloud SQL that takes encrypted connections from the authorized networks only."""

    host: pulumi.Output[str]
    """Public IPv4 address, known once the instance runs."""
    instance_name: pulumi.Output[str]
    """Physical name of the instance."""
    user: pulumi.Output[str]
    """Account of the server: `postgres`, whose password is the instance's root password."""
    database: pulumi.Output[str]
    """Database that holds the metadata: `postgres`."""
    password: pulumi.Output[str]
    """Password of the account, a secret of 32 characters."""
    server_ca: pulumi.Output[str]
    """Certificate (PEM) of the authority that signed the server's certificate; the client verifies with it."""

    def __init__(self, name: str, args: CloudSqlPostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:gcp:CloudSqlPostgres", name, None, opts)
        # The SDK marks `result` secret only when its provider says so; said here it holds for whoever reads it.
        self.password = pulumi.Output.secret(
            random.RandomPassword(
                f"{name}-password", length=32, special=True, opts=pulumi.ResourceOptions(parent=self)
            ).result
        )
        instance = self._instance(name, args)
        self.host = instance.public_ip_address
        self.instance_name = instance.name
        self.user = pulumi.Output.from_input("postgres")
        self.database = pulumi.Output.from_input("postgres")
        self.server_ca = instance.server_ca_certs.apply(_first_certificate)
        self.register_outputs(
            {
                "host": self.host,
                "instance_name": self.instance_name,
                "user": self.user,
                "database": self.database,
                "password": self.password,
                "server_ca": self.server_ca,
            }
        )

    def _instance(self, name: str, args: CloudSqlPostgresArgs) -> gcp.sql.DatabaseInstance:
        return gcp.sql.DatabaseInstance(
            name,
            name=args.instance_name,
            region=args.region,
            database_version=args.version,
            root_password=self.password,
            # `pulumi destroy` is meant to clean up completely.
            deletion_protection=False,
            settings={
                "tier": args.tier,
                # Named, because from PostgreSQL 16 on another edition is the default and refuses these tiers.
                "edition": "ENTERPRISE",
                "user_labels": args.labels,
                "ip_configuration": {
                    "ipv4_enabled": True,
                    "ssl_mode": "ENCRYPTED_ONLY",
                    "authorized_networks": [
                        {"name": _network_name(network), "value": network} for network in args.authorized_networks
                    ],
                },
            },
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=_TIMEOUTS),
        )


def _network_name(network: str) -> str:
    """Return the label of an authorized network, such as `192-0-2-7-32` for 192.0.2.7/32."""
    return network.replace(".", "-").replace("/", "-")


def _first_certificate(certificates: Sequence[gcp.sql.outputs.DatabaseInstanceServerCaCert]) -> str:
    """Return the PEM text of the active certificate authority, which Cloud SQL lists first."""
    return certificates[0].cert or ""
