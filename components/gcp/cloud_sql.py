"""The metadata database: one Cloud SQL for PostgreSQL instance with generated passwords.

Owns the instance, its database and its passwords. Leaves to `cloud_sql_settings` what Cloud SQL is told about the
instance, and to the Kubernetes layer's migration what is inside the database: accounts of the server's own, and tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from components.database import Database
from components.gcp.cloud_sql_settings import settings

ADMINISTRATOR = "postgres"
"""The account, and the database, that every instance is born with."""

# Cloud SQL takes 15 to 25 minutes over an instance, at times longer; to give up earlier would leave one behind that
# nobody tracks.
_TIMEOUTS = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")


@dataclass(frozen=True, kw_only=True)
class CloudSqlPostgresArgs:
    """What a CloudSqlPostgres needs; all plain values but the network, since they decide what is bought."""

    instance_name: str
    """Physical name of the instance."""
    region: str
    """Google Cloud region, such as asia-southeast1."""
    version: str
    """Version as Cloud SQL names it, such as POSTGRES_14."""
    tier: str
    """Machine type, such as db-custom-2-3840."""
    storage_limit_gib: int
    """How far the disk may grow, in GiB."""
    authorized_networks: Sequence[str]
    """IPv4 CIDRs that may open a connection to the public address."""
    network: pulumi.Input[str] | None
    """Network in which the instance has a private address, and then no public one; it must be peered already."""
    maintenance_window: str | None
    """Day and hour (UTC) at which Google may restart the instance, such as `SUN 18`; None for any."""
    user: str
    """`postgres`, or a name for a database and for accounts of the server's own."""
    password_generation: int
    """Counts passwords; one more is a new password."""
    durable: bool
    """Whether the instance spans two zones and keeps backups, those of a deleted instance too."""
    protected: bool
    """Whether Pulumi and Google refuse to delete it."""
    labels: dict[str, str]
    """Labels of the instance."""


class CloudSqlPostgres(pulumi.ComponentResource):
    """A PostgreSQL server at Cloud SQL that takes encrypted connections only."""

    database: Database
    """How the server reaches its database."""
    host: pulumi.Output[str]
    """IPv4 address, known once the instance runs."""
    instance_name: pulumi.Output[str]
    """Physical name of the instance."""
    service_account: pulumi.Output[str]
    """Address of the account by which the instance itself reads and writes buckets."""

    def __init__(self, name: str, args: CloudSqlPostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:gcp:CloudSqlPostgres", name, None, opts)
        password = self._password(f"{name}-password", args.password_generation)
        own_account = args.user != ADMINISTRATOR
        root_password = self._password(f"{name}-root-password", 1) if own_account else password
        instance = self._instance(name, args, root_password)
        self.host = instance.private_ip_address if args.network is not None else instance.public_ip_address
        self.instance_name = instance.name
        self.service_account = instance.service_account_email_address
        self.database = Database(
            host=self.host,
            name=self._database(name, args, instance) if own_account else pulumi.Output.from_input(ADMINISTRATOR),
            user=f"{args.user}-{args.password_generation}" if own_account else ADMINISTRATOR,
            password=password,
            server_ca=instance.server_ca_certs.apply(_first_certificate),
            administrator_password=root_password if own_account else None,
        )
        self.register_outputs(
            {"host": self.host, "instance_name": self.instance_name, "service_account": self.service_account}
        )

    def _password(self, name: str, generation: int) -> pulumi.Output[str]:
        generated = random.RandomPassword(
            name,
            length=32,
            special=True,
            keepers={"generation": str(generation)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        # The SDK marks `result` secret only when its provider says so; said here it holds for whoever reads it.
        return pulumi.Output.secret(generated.result)

    def _instance(
        self, name: str, args: CloudSqlPostgresArgs, root_password: pulumi.Output[str]
    ) -> gcp.sql.DatabaseInstance:
        return gcp.sql.DatabaseInstance(
            name,
            name=args.instance_name,
            region=args.region,
            database_version=args.version,
            root_password=root_password,
            deletion_protection=args.protected,
            settings=settings(
                tier=args.tier,
                labels=args.labels,
                authorized_networks=args.authorized_networks,
                network=args.network,
                storage_limit_gib=args.storage_limit_gib,
                maintenance_window=args.maintenance_window,
                durable=args.durable,
                protected=args.protected,
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                custom_timeouts=_TIMEOUTS,
                protect=args.protected,
                # Google may answer finalBackupConfig with enabled=false, unasked.
                ignore_changes=None if args.durable else ["settings.finalBackupConfig"],
            ),
        )

    def _database(
        self, name: str, args: CloudSqlPostgresArgs, instance: gcp.sql.DatabaseInstance
    ) -> pulumi.Output[str]:
        return gcp.sql.Database(
            name,
            name=args.user,
            instance=instance.name,
            # Deleted before its instance, it would be missing from the final backup.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protected, retain_on_delete=args.durable),
        ).name


def _first_certificate(certificates: Sequence[gcp.sql.outputs.DatabaseInstanceServerCaCert]) -> str:
    """Return the PEM text of the active certificate authority, which Cloud SQL lists first."""
    return certificates[0].cert or ""
