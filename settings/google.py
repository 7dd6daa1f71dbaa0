"""What Google Cloud accepts: projects, regions, Cloud SQL versions and machine types, networks, bucket names.

The lists and limits are Google's as it documents them. Each rule names its page, to be read again with every release of
this program. Whether a project exists or a bucket name is free only Google can tell, at `pulumi up`.
"""

import ipaddress
import re
from collections.abc import Sequence

from settings.rule import did_you_mean, shown

_REGION_NUMBERS = {
    "africa-south": (1,),
    "asia-east": (1, 2),
    "asia-northeast": (1, 2, 3),
    "asia-south": (1, 2),
    "asia-southeast": (1, 2),
    "australia-southeast": (1, 2),
    "europe-central": (2,),
    "europe-north": (1, 2),
    "europe-southwest": (1,),
    "europe-west": (1, 2, 3, 4, 6, 8, 9, 10, 12),
    "me-central": (1, 2),
    "me-west": (1,),
    "northamerica-northeast": (1, 2),
    "northamerica-south": (1,),
    "southamerica-east": (1,),
    "southamerica-west": (1,),
    "us-central": (1,),
    "us-east": (1, 4, 5),
    "us-south": (1,),
    "us-west": (1, 2, 3, 4),
}
_REGIONS = frozenset(f"{area}{number}" for area, numbers in _REGION_NUMBERS.items() for number in numbers)
_VERSIONS = tuple(f"POSTGRES_{major}" for major in range(14, 19))
_SHARED_CORE = ("db-f1-micro", "db-g1-small")
_TOO_MANY_ADDRESSES = 2**25
"""Authorized networks have to stay below it: one /8, as the largest organisations own, and some more."""
_TAKEN_NAMES = ("template0", "template1", "public", "none")
"""What PostgreSQL has as databases or keeps as names of roles, besides those that begin with pg_."""


def project(value: str) -> str | None:
    """Hold a project id against cloud.google.com/resource-manager/docs/creating-managing-projects."""
    if not value:
        return "no Google Cloud project is named; type `pulumi config set gcp:project <project id>`"
    if re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", value):
        return None
    return (
        "a project id has 6 to 30 lower-case letters, digits and hyphens, begins with a letter and does not end with a"
        " hyphen; `gcloud projects list` shows yours under PROJECT_ID"
    )


def region(value: str) -> str | None:
    """Hold a region against cloud.google.com/sql/docs/postgres/locations; a new one beside a known one passes."""
    shape = re.fullmatch(r"([a-z-]+[a-z])[1-9][0-9]?", value)
    if shape is not None and shape[1] in _REGION_NUMBERS:
        return None
    return f"Cloud SQL has no such region{did_you_mean(value, _REGIONS) or '; take one such as asia-southeast1'}"


def doubt_about_region(value: str) -> str | None:
    """Say what is uncertain about a region that passes; None for those that were looked up in November 2026."""
    if value in _REGIONS:
        return None
    return "it was no region of Cloud SQL in November 2026; Google says at `pulumi up` whether it is one now"


def database_instance(value: str) -> str | None:
    """Hold an instance name against cloud.google.com/sql/docs/postgres/instance-settings.

    Together with the project id it may have 98 characters; a project id has at most 30.
    """
    if re.fullmatch(r"[a-z]([a-z0-9-]{0,65}[a-z0-9])?", value):
        return None
    return (
        "a Cloud SQL instance has a name of at most 67 lower-case letters, digits and hyphens, beginning with a letter"
        " and not ending with a hyphen, such as mlflow-tracking"
    )


def database_version(value: str) -> str | None:
    """Hold a version against cloud.google.com/sql/docs/postgres/db-versions."""
    if value in _VERSIONS:
        return None
    return f"Cloud SQL sells {', '.join(_VERSIONS)} to this program; take one of them"


def database_tier(value: str) -> str | None:
    """Hold a machine type of edition ENTERPRISE against cloud.google.com/sql/docs/postgres/create-instance.

    Custom machines have 1 vCPU or an even number up to 96, 0.9 to 6.5 GiB for each, in steps of 256 MiB, and at
    least 3840 MiB.
    """
    if value in _SHARED_CORE:
        return None
    shape = re.fullmatch(r"db-custom-([1-9][0-9]{0,2})-([1-9][0-9]{0,6})", value)
    if shape is None:
        return "write db-custom-<vCPU>-<MiB>, such as db-custom-2-3840, or db-f1-micro or db-g1-small"
    cpus, mebibytes = int(shape[1]), int(shape[2])
    if cpus > 96 or (cpus > 1 and cpus % 2):  # noqa: PLR2004 - the docstring says where it is from
        return "a machine has 1 vCPU or an even number up to 96"
    least = max(3840, -(-cpus * 9216 // 10 // 256) * 256)
    most = cpus * 6656
    if mebibytes % 256 or not least <= mebibytes <= most:
        return f"a machine with {cpus} vCPU has {least} to {most} MiB of memory, a multiple of 256"
    return None


def authorized_networks(values: Sequence[str]) -> str | None:
    """Hold the networks that may reach the database against cloud.google.com/sql/docs/postgres/authorize-networks.

    Only IPv4 is possible there. Taken together, so that halves and quarters of the internet are seen for what they are.
    """
    networks: list[ipaddress.IPv4Network] = []
    for value in values:
        network = _network(value)
        if isinstance(network, str):
            return network
        networks.append(network)
    addresses = sum(network.num_addresses for network in ipaddress.collapse_addresses(networks))
    if addresses < _TOO_MANY_ADDRESSES:
        return None
    return (
        f"{'together they open' if len(networks) > 1 else 'it opens'} the database to {addresses / 2**32:.0%} of the"
        " internet; name the addresses that need it, such as <your public address>/32"
    )


def someone_authorized(values: Sequence[str]) -> str | None:
    """Tell whether a database with a public address can be reached at all."""
    if values:
        return None
    return (
        "nobody could reach the database; type"
        " `pulumi config set --path 'mlflow:authorizedNetworks[0]' <your public address>/32`"
    )


def network(value: str) -> str | None:
    """Hold the network of a private address against cloud.google.com/sql/docs/postgres/configure-private-ip."""
    if re.fullmatch(r"projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/global/networks/[a-z]([-a-z0-9]{0,61}[a-z0-9])?", value):
        return None
    return "write projects/<project>/global/networks/<name>; `gcloud compute networks list` tells the names"


def storage_limit(value: int) -> str | None:
    """Hold a disk's limit in GiB against cloud.google.com/sql/docs/postgres/quotas."""
    if 10 <= value <= 65536:  # noqa: PLR2004 - from the page above
        return None
    return "the disk of an instance has 10 to 65536 GiB; take a limit between"


def database_user(value: str) -> str | None:
    """Hold an account's name against PostgreSQL's limit, with room for a number behind it, and what Cloud SQL keeps."""
    if value in _TAKEN_NAMES:
        return "PostgreSQL keeps that name to itself; write another, such as mlflow"
    if re.fullmatch(r"[a-z][a-z0-9_]{0,49}", value) and not value.startswith(("pg_", "cloudsql")):
        return None
    return (
        "write postgres, or at most 50 lower-case letters, digits and underscores, beginning with a letter, such as"
        " mlflow; pg_ and cloudsql begin names of PostgreSQL's and Google's own"
    )


def maintenance_window(value: str) -> str | None:
    """Hold a window against cloud.google.com/sql/docs/postgres/set-maintenance-window."""
    if re.fullmatch(r"(MON|TUE|WED|THU|FRI|SAT|SUN) ([0-9]|1[0-9]|2[0-3])", value):
        return None
    return "write a day and an hour (UTC), such as SUN 18"


def _network(value: str) -> ipaddress.IPv4Network | str:
    """Return the network, or what is wrong with it."""
    if "/" not in value:
        return f"{shown(value)} is not a network in CIDR form; a single address ends with /32"
    wrong = f"{shown(value)} is not an IPv4 network in CIDR form; write one such as 203.0.113.7/32"
    if not re.fullmatch(r"[0-9.]+/([0-9]|[1-3][0-9])", value):  # Python takes masks too
        return wrong
    try:
        interface = ipaddress.IPv4Interface(value)
    except ValueError:
        return wrong
    if interface.ip != interface.network.network_address:
        return f"{shown(value)} has bits set beyond its prefix; make them 0, or write /32 for the one address"
    return interface.network


def bucket_name(value: str) -> str | None:
    """Hold a bucket name against cloud.google.com/storage/docs/buckets#naming."""
    parts = value.split(".")
    if not 3 <= len(value) <= (63 if len(parts) == 1 else 222):  # noqa: PLR2004 - from the page above
        return "a bucket name has 3 to 63 characters, up to 222 where it has dots"
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*[a-z0-9]", value):
        return (
            "a bucket name has lower-case letters, digits, '-', '_' and '.' only and begins and ends with a letter or"
            " a digit"
        )
    if not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", part) for part in parts):
        return "between the dots of a bucket name stand 1 to 63 characters without '-' at either end"
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value):
        return "a bucket name does not look like an IP address; write a name"
    if value.startswith("goog") or re.search(r"g[o0]{2}gle", value):
        return "Google keeps names that begin with 'goog' or contain 'google' to itself; write another"
    return None
