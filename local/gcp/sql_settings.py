"""Settings of a Cloud SQL instance: Google's defaults, how a change is laid over them, what cannot be honoured here.

Pure functions over JSON; https://cloud.google.com/sql/docs/postgres/instance-settings has the defaults.
"""

import ipaddress
from copy import deepcopy
from typing import Any, TypeAlias, cast

from local.gcp.errors import ApiError, invalid, not_implemented
from local.gcp.postgres import Access

Json: TypeAlias = dict[str, Any]

_DEFAULTS: Json = {
    "kind": "sql#settings",
    "activationPolicy": "ALWAYS",
    "availabilityType": "ZONAL",
    "pricingPlan": "PER_USE",
    "replicationType": "SYNCHRONOUS",
    "edition": "ENTERPRISE",
    "dataDiskType": "PD_SSD",
    "dataDiskSizeGb": "10",
    "storageAutoResize": True,
    "storageAutoResizeLimit": "0",
    "connectorEnforcement": "NOT_REQUIRED",
    "deletionProtectionEnabled": False,
    "backupConfiguration": {
        "kind": "sql#backupConfiguration",
        "enabled": False,
        "startTime": "00:00",
        "transactionLogRetentionDays": 7,
        "backupRetentionSettings": {"retentionUnit": "COUNT", "retainedBackups": 7},
    },
    "ipConfiguration": {
        "ipv4Enabled": True,
        "requireSsl": False,
        "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
        "serverCaMode": "GOOGLE_MANAGED_INTERNAL_CA",
        "authorizedNetworks": [],
    },
}
_KEPT_BY_UPDATE = ("tier", "edition", "dataDiskType", "dataDiskSizeGb", "pricingPlan", "locationPreference")

_OWN_FLAGS = {"port", "password_encryption", "config_file", "hba_file", "ident_file"}
_OWN_PREFIXES = ("listen_", "unix_socket_", "ssl", "data_directory", "external_pid_file", "shared_preload", "archive_")


def created(asked: Json, region: str) -> Json:
    """Answer the settings of a new instance: what was asked over the defaults; ApiError for what cannot be."""
    if not asked.get("tier"):
        raise invalid("settings.tier is missing: name a machine, such as db-custom-2-3840.")
    settings = merged(_DEFAULTS, asked)
    settings.setdefault("locationPreference", {"kind": "sql#locationPreference", "zone": f"{region}-a"})
    return _checked(settings | {"settingsVersion": "1"})


def patched(current: Json, asked: Json) -> Json:
    """Answer the settings after `instances.patch`: only what was asked changes, null removes."""
    return _next(current, merged(current, asked), asked)


def updated(current: Json, asked: Json) -> Json:
    """Answer the settings after `instances.update`: what was not asked returns to its default, save the machine."""
    kept = {name: current[name] for name in _KEPT_BY_UPDATE if name in current}
    return _next(current, merged(_DEFAULTS | kept, asked), asked)


def access(settings: Json) -> Access:
    """Answer who may connect under these settings."""
    configuration = settings["ipConfiguration"]
    networks = [str(_network(entry["value"])) for entry in configuration["authorizedNetworks"]]
    return Access(networks=networks, encrypted_only=configuration["sslMode"] == "ENCRYPTED_ONLY")


def flags(settings: Json) -> dict[str, str]:
    """Answer the database flags; Google's own (cloudsql.…) are recorded and mean nothing to PostgreSQL."""
    return {flag["name"]: flag["value"] for flag in settings.get("databaseFlags", [])}


def merged(base: Json, change: Json) -> Json:
    """Lay `change` over `base`: objects are merged, lists replaced, null removes."""
    result = deepcopy(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key) or {}, cast("Json", value))
        else:
            result[key] = deepcopy(value)
    return result


def _next(current: Json, settings: Json, asked: Json) -> Json:
    version = current["settingsVersion"]
    if asked.get("settingsVersion", "0") not in ("0", version):
        message = f"settingsVersion {asked['settingsVersion']} is out of date, the instance has {version}."
        raise ApiError(412, "staleData", message)
    return _checked(settings | {"settingsVersion": str(int(version) + 1)})


def _checked(settings: Json) -> Json:
    configuration: Json = settings["ipConfiguration"]
    for name, honoured in (
        ("ipConfiguration.privateNetwork", not configuration.get("privateNetwork")),
        ("ipConfiguration.pscConfig", not configuration.get("pscConfig", {}).get("pscEnabled")),
        ("ipConfiguration.ipv4Enabled=false", configuration["ipv4Enabled"]),
        (f"ipConfiguration.sslMode={configuration['sslMode']}", "TRUSTED" not in configuration["sslMode"]),
        ("ipConfiguration.requireSsl=true (use sslMode=ENCRYPTED_ONLY)", not configuration["requireSsl"]),
        (f"activationPolicy={settings['activationPolicy']}", settings["activationPolicy"] == "ALWAYS"),
    ):
        if not honoured:
            raise not_implemented(f"settings.{name}")
    for entry in configuration["authorizedNetworks"]:
        entry["kind"] = "sql#aclEntry"
        if "expirationTime" in entry:
            raise not_implemented("settings.ipConfiguration.authorizedNetworks.expirationTime")
        _network(entry.get("value", ""))
    for name in flags(settings):
        if name in _OWN_FLAGS or name.startswith(_OWN_PREFIXES) or name.endswith(("_command", "_directory")):
            raise invalid(f"settings.databaseFlags: {name} is set by the stand-in itself. Leave it out.")
    return settings


def _network(value: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(value)
    except ValueError as error:
        where = "settings.ipConfiguration.authorizedNetworks"
        raise invalid(f"{where}: {value!r} is not an IPv4 network such as 203.0.113.7/32 ({error}).") from error
