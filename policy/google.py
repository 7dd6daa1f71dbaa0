"""What holds for every database and bucket at Google Cloud."""

import ipaddress
from collections.abc import Iterator, Sequence

from policy.resource import UNKNOWN, Resource, at, differs, items, not_on, said
from policy.rule import rule

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"
_WIDEST = {4: 8, 6: 32}
"""Shortest prefix that a network may have, by version of IP; no organisation owns more."""
_ENCRYPTED = ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@rule(DATABASE)
def databases_are_closed_to_the_internet(instance: Resource) -> Iterator[str]:
    """CIS Google Cloud 6.5: the networks that may reach a database are few, halves of the internet included."""
    path = "settings.ipConfiguration.authorizedNetworks"
    networks: list[_Network] = []
    for entry in items(instance.at(path)):
        value = at(entry, "value")
        if value is UNKNOWN:
            continue
        try:
            networks.append(ipaddress.ip_network(str(value), strict=False))
        except ValueError:
            yield f"{path} has '{value}', which is no network: write one such as 203.0.113.7/32"
    for network in _wide(networks):
        yield (
            f"{path} opens it to {network}, alone or taken together: name the addresses that need it, such as"
            " <your public address>/32"
        )


def _wide(networks: Sequence[_Network]) -> Iterator[_Network]:
    """Yield what is too wide among networks, neighbours joined."""
    v4 = [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
    v6 = [network for network in networks if isinstance(network, ipaddress.IPv6Network)]
    for network in (*ipaddress.collapse_addresses(v4), *ipaddress.collapse_addresses(v6)):
        if network.prefixlen < _WIDEST[network.version]:
            yield network


@rule(DATABASE)
def databases_take_encrypted_connections_only(instance: Resource) -> Iterator[str]:
    """CIS Google Cloud 6.4: a database takes no connection without TLS."""
    mode = instance.at("settings.ipConfiguration.sslMode")
    if differs(mode, *_ENCRYPTED):
        yield f"settings.ipConfiguration.sslMode is {said(mode)}: set it to {' or '.join(_ENCRYPTED)}"


@rule(BUCKET)
def buckets_have_uniform_access(bucket: Resource) -> Iterator[str]:
    """CIS Google Cloud 5.2: who may use a bucket is said once, not object by object."""
    uniform = bucket.at("uniformBucketLevelAccess")
    if not_on(uniform):
        yield f"uniformBucketLevelAccess is {said(uniform)}: set it to true"


@rule(BUCKET)
def buckets_prevent_public_access(bucket: Resource) -> Iterator[str]:
    """CIS Google Cloud 5.1: a bucket can't be made public, not even by mistake."""
    prevention = bucket.at("publicAccessPrevention")
    if differs(prevention, "enforced"):
        yield f"publicAccessPrevention is {said(prevention)}: set it to enforced"


POLICIES = (
    databases_are_closed_to_the_internet,
    databases_take_encrypted_connections_only,
    buckets_have_uniform_access,
    buckets_prevent_public_access,
)
