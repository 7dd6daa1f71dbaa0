"""What an instance's settings may not be: what Google refuses, and what cannot be honoured here."""

import ipaddress
from typing import Any, TypeAlias

from local.gcp.errors import invalid, not_implemented

Json: TypeAlias = dict[str, Any]

_OWN_FLAGS = {"port", "password_encryption", "config_file", "hba_file", "ident_file"}
_OWN_PREFIXES = ("listen_", "unix_socket_", "ssl", "data_directory", "external_pid_file", "shared_preload", "archive_")
_LONGEST_LOG = {"ENTERPRISE": 7, "ENTERPRISE_PLUS": 35}


def checked(settings: Json) -> Json:
    """Answer the settings; ApiError 400 or 501, naming the setting and its value, for what cannot be."""
    _require_honoured(settings)
    _require_durable(settings)
    configuration = settings["ipConfiguration"]
    if not configuration["ipv4Enabled"] and not configuration.get("privateNetwork"):
        raise invalid("settings.ipConfiguration: ipv4Enabled=false and no privateNetwork leave no way to the instance.")
    for entry in configuration["authorizedNetworks"]:
        if "expirationTime" in entry:
            raise not_implemented("settings.ipConfiguration.authorizedNetworks.expirationTime")
        network(entry.get("value", ""))
    for name in flags(settings):
        if name in _OWN_FLAGS or name.startswith(_OWN_PREFIXES) or name.endswith(("_command", "_directory")):
            raise invalid(f"settings.databaseFlags: {name} is set by the stand-in itself. Leave it out.")
    return settings


def _require_honoured(settings: Json) -> None:
    configuration: Json = settings["ipConfiguration"]
    for name, honoured in (
        ("ipConfiguration.pscConfig", not configuration.get("pscConfig", {}).get("pscEnabled")),
        (f"ipConfiguration.sslMode={configuration['sslMode']}", "TRUSTED" not in configuration["sslMode"]),
        ("ipConfiguration.requireSsl=true (use sslMode=ENCRYPTED_ONLY)", not configuration["requireSsl"]),
        (f"activationPolicy={settings['activationPolicy']}", settings["activationPolicy"] == "ALWAYS"),
    ):
        if not honoured:
            raise not_implemented(f"settings.{name}")


def _require_durable(settings: Json) -> None:
    """Hold edition, availability and backups against each other."""
    edition, tier, backups = settings["edition"], settings["tier"], settings["backupConfiguration"]
    if edition == "ENTERPRISE_PLUS" and not tier.startswith("db-perf-optimized-"):
        raise invalid(f"Invalid Tier ({tier}) for (ENTERPRISE_PLUS) Edition. Name edition ENTERPRISE, or another tier.")
    recovery = backups.get("pointInTimeRecoveryEnabled", False)
    if recovery and not backups["enabled"]:
        raise invalid("settings.backupConfiguration: pointInTimeRecoveryEnabled needs enabled=true.")
    if settings["availabilityType"] == "REGIONAL" and not recovery:
        raise invalid("settings.availabilityType=REGIONAL needs backups and point-in-time recovery enabled.")
    days, longest = backups["transactionLogRetentionDays"], _LONGEST_LOG.get(edition, 1)
    if not 1 <= days <= longest:
        raise invalid(
            f"settings.backupConfiguration.transactionLogRetentionDays={days}: {edition} takes 1 to {longest}."
        )


def flags(settings: Json) -> dict[str, str]:
    """Answer the database flags by name."""
    return {flag["name"]: flag["value"] for flag in settings.get("databaseFlags", [])}


def major(version: str) -> int:
    """Answer the first number of "POSTGRES_18", or of "POSTGRES_18_4"."""
    return int(version.split("_")[1])


def network(value: str) -> ipaddress.IPv4Network:
    """Answer an authorized network; ApiError 400 when it is none."""
    try:
        return ipaddress.IPv4Network(value)
    except ValueError as error:
        where = "settings.ipConfiguration.authorizedNetworks"
        raise invalid(f"{where}: {value!r} is not an IPv4 network such as 203.0.113.7/32 ({error}).") from error
