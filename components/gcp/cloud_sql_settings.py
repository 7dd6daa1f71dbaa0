"""What Cloud SQL is told about an instance: pure functions from what was asked for to its `settings`.

Owns reachability, growth, backups and flags. Leaves to `cloud_sql` which instance they are for.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp.sql import (
    DatabaseInstanceSettingsArgsDict,
    DatabaseInstanceSettingsIpConfigurationArgsDict,
    DatabaseInstanceSettingsMaintenanceWindowArgsDict,
)

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
"""Days as a maintenance window names them; Cloud SQL counts them from 1."""

_BACKUPS = 30
_LOG_DAYS = 7  # the most that edition ENTERPRISE keeps
_FINAL_BACKUP_DAYS = 90

# CIS Google Cloud Platform Foundation Benchmark 5.0, section 6.2; the last three are what checkov asks for on top.
_FLAGS = {
    "cloudsql.enable_pgaudit": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_error_verbosity": "default",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
    "log_checkpoints": "on",
    "log_lock_waits": "on",
    "log_temp_files": "0",
}


def settings(  # noqa: PLR0913 - the instance, told in one place
    *,
    tier: str,
    labels: dict[str, str],
    authorized_networks: Sequence[str],
    network: pulumi.Input[str] | None,
    storage_limit_gib: int,
    maintenance_window: str | None,
    durable: bool,
    protected: bool,
) -> DatabaseInstanceSettingsArgsDict:
    """Return the settings of an instance; `cloud_sql.CloudSqlPostgresArgs` says what each argument means."""
    wanted: DatabaseInstanceSettingsArgsDict = {
        "tier": tier,
        # Named, because from PostgreSQL 16 on another edition is the default and refuses these tiers.
        "edition": "ENTERPRISE",
        "user_labels": labels,
        "ip_configuration": _reachability(authorized_networks, network),
        "disk_autoresize": True,
        "disk_autoresize_limit": storage_limit_gib,
    }
    if maintenance_window is not None:
        wanted["maintenance_window"] = _window(maintenance_window)
    if durable:
        _keep_data(wanted, protected=protected)
    return wanted


def _keep_data(wanted: DatabaseInstanceSettingsArgsDict, *, protected: bool) -> None:
    """Add a second zone, backups that outlive the instance, and the log that CIS and an investigation want."""
    wanted["availability_type"] = "REGIONAL"
    # Google's own protection, beside Pulumi's.
    wanted["deletion_protection_enabled"] = protected
    wanted["backup_configuration"] = {
        "enabled": True,
        "point_in_time_recovery_enabled": True,
        "transaction_log_retention_days": _LOG_DAYS,
        "backup_retention_settings": {"retained_backups": _BACKUPS, "retention_unit": "COUNT"},
    }
    wanted["retain_backups_on_delete"] = True
    wanted["final_backup_config"] = {"enabled": True, "retention_days": _FINAL_BACKUP_DAYS}
    wanted["insights_config"] = {"query_insights_enabled": True, "record_application_tags": True}
    wanted["database_flags"] = [{"name": name, "value": value} for name, value in _FLAGS.items()]


def _reachability(
    authorized_networks: Sequence[str], network: pulumi.Input[str] | None
) -> DatabaseInstanceSettingsIpConfigurationArgsDict:
    reachability: DatabaseInstanceSettingsIpConfigurationArgsDict = {
        "ipv4_enabled": network is None,
        "ssl_mode": "ENCRYPTED_ONLY",
        # Each instance has its own certificate authority. Clients verify the server with it.
        "server_ca_mode": "GOOGLE_MANAGED_INTERNAL_CA",
    }
    if network is not None:
        return {**reachability, "private_network": network}
    return {
        **reachability,
        "authorized_networks": [{"name": _network_name(each), "value": each} for each in authorized_networks],
    }


def _window(text: str) -> DatabaseInstanceSettingsMaintenanceWindowArgsDict:
    day, hour = text.split()
    return {"day": DAYS.index(day) + 1, "hour": int(hour), "update_track": "stable"}


def _network_name(network: str) -> str:
    """Return the label of an authorized network, such as `192-0-2-7-32` for 192.0.2.7/32."""
    return network.replace(".", "-").replace("/", "-")
