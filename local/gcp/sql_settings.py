"""Settings of a Cloud SQL instance: Google's defaults, how a change is laid over them, what they mean to PostgreSQL.

Pure functions over JSON; https://cloud.google.com/sql/docs/postgres/instance-settings has the defaults. What cannot be
is refused by sql_rules.
"""

import ipaddress
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, TypeAlias, cast

from local.gcp.discovery import without_nulls
from local.gcp.errors import ApiError, invalid
from local.gcp.postgres import Access
from local.gcp.sql_rules import checked, major, network

Json: TypeAlias = dict[str, Any]

_CONNECTIONS = ((120, 1000), (60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (3.75, 100), (1.7, 50), (0, 25))
"""From so many GB of memory on there are so many connections."""
_SHARED_CORE = {"db-f1-micro": 0.6, "db-g1-small": 1.7}
_OTHER_GB = 16  # of the least machine that is named otherwise

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""RFC 1918: whom Cloud SQL lets in over a private network without a word; others there need an authorized network."""

_DEFAULTS: Json = {
    "kind": "sql#settings",
    "activationPolicy": "ALWAYS",
    "availabilityType": "ZONAL",
    "pricingPlan": "PER_USE",
    "replicationType": "SYNCHRONOUS",
    "dataDiskType": "PD_SSD",
    "dataDiskSizeGb": "10",
    "storageAutoResize": True,
    "storageAutoResizeLimit": "0",
    "connectorEnforcement": "NOT_REQUIRED",
    "deletionProtectionEnabled": False,
    "finalBackupConfig": {"enabled": False},
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
_DEFAULTS_WHERE_ASKED: Json = {
    "insightsConfig": {
        "queryInsightsEnabled": False,
        "queryPlansPerMinute": 5,
        "queryStringLength": 1024,
        "recordApplicationTags": False,
        "recordClientAddress": False,
    },
    "maintenanceWindow": {"kind": "sql#maintenanceWindow", "day": 0, "hour": 0},
}
_KEPT_BY_UPDATE = ("tier", "edition", "dataDiskType", "dataDiskSizeGb", "pricingPlan", "locationPreference")
_FIRST_PLUS_VERSION = 16


def created(asked: Json, region: str, version: str) -> Json:
    """Answer the settings of a new instance: what was asked over the defaults; ApiError for what cannot be."""
    if not asked.get("tier"):
        raise invalid("settings.tier is missing: name a machine, such as db-custom-2-3840.")
    edition = "ENTERPRISE_PLUS" if major(version) >= _FIRST_PLUS_VERSION else "ENTERPRISE"
    settings = merged({**_DEFAULTS, "edition": edition}, without_nulls(asked))
    settings.setdefault("locationPreference", {"kind": "sql#locationPreference", "zone": f"{region}-a"})
    return _completed(settings | {"settingsVersion": "1"})


def patched(current: Json, asked: Json) -> Json:
    """Answer the settings after `instances.patch`: only what was asked changes, null removes."""
    return _next(current, merged(current, asked), asked)


def updated(current: Json, asked: Json) -> Json:
    """Answer the settings after `instances.update`: what was not asked returns to its default, save the machine."""
    kept = {name: current[name] for name in _KEPT_BY_UPDATE if name in current}
    return _next(current, merged(_DEFAULTS | kept, asked), asked)


def access(settings: Json) -> Access:
    """Answer who may connect under these settings.

    PostgreSQL's rules know who comes and not to which of its addresses, so an instance with both kinds of address
    lets in at either whoever one of them would.
    """
    configuration = settings["ipConfiguration"]
    networks = [str(network(entry["value"])) for entry in configuration["authorizedNetworks"]]
    private = _PRIVATE if configuration.get("privateNetwork") else ()
    return Access(networks=[*networks, *private], encrypted_only=configuration["sslMode"] == "ENCRYPTED_ONLY")


def defaults_of_tier(settings: Json) -> dict[str, str]:
    """Answer the flags that follow from the machine (https://cloud.google.com/sql/docs/postgres/flags)."""
    tier: str = settings["tier"]
    memory = _SHARED_CORE.get(tier) or (int(tier.rpartition("-")[2]) / 1024 if "custom" in tier else _OTHER_GB)
    return {"max_connections": str(next(most for least, most in _CONNECTIONS if memory >= least))}


def addresses(settings: Json, current: list[Json], free: Iterator[ipaddress.IPv4Address]) -> list[Json]:
    """Answer the addresses of an instance under these settings, public before private, each kept once it is there."""
    configuration = settings["ipConfiguration"]
    wanted = {"PRIMARY": configuration["ipv4Enabled"], "PRIVATE": configuration.get("privateNetwork")}
    there = {entry["type"]: entry for entry in current}
    try:
        return [
            there.get(kind) or {"type": kind, "ipAddress": str(next(free))} for kind, asked in wanted.items() if asked
        ]
    except StopIteration as error:
        raise ApiError(429, "quotaExceeded", "All addresses of --sql-addresses are in use.") from error


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
    if int(settings["dataDiskSizeGb"]) < int(current["dataDiskSizeGb"]):
        raise invalid(f"settings.dataDiskSizeGb: a disk of {current['dataDiskSizeGb']} GB never gets smaller.")
    network_before = current["ipConfiguration"].get("privateNetwork")
    if network_before and settings["ipConfiguration"].get("privateNetwork") != network_before:
        raise invalid(f"settings.ipConfiguration.privateNetwork: once set it cannot be changed ({network_before}).")
    return _completed(settings | {"settingsVersion": str(int(version) + 1)})


def _completed(settings: Json) -> Json:
    for name, defaults in _DEFAULTS_WHERE_ASKED.items():
        if name in settings:
            settings[name] = merged(defaults, settings[name])
    for entry in settings["ipConfiguration"]["authorizedNetworks"]:
        entry["kind"] = "sql#aclEntry"
    return checked(settings)
