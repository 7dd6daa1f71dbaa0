"""What holds for every database, bucket, firewall rule and cluster at Google Cloud."""

import ipaddress
from collections.abc import Iterator, Sequence

from policy.resource import UNKNOWN, Resource, at, differs, items, not_on, said
from policy.rule import rule

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"
_FIREWALL = "gcp:compute/firewall:Firewall"
_TOO_MANY = {4: 2**25, 6: 2**97}
"""Addresses let in have to stay below it, by version of IP: an IPv4 /8 or an IPv6 /32, as the largest organisations
own, and some more. The settings have the same bound.
"""
_PRIVATE = [ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
"""RFC 1918 and 4193: networks that nobody reaches from the internet, and that therefore do not count."""
_ENCRYPTED = ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@rule(DATABASE)
def databases_are_closed_to_the_internet(instance: Resource) -> Iterator[str]:
    """CIS Google Cloud 6.5: the networks that may reach a database are few, halves of the internet included."""
    path = "settings.ipConfiguration.authorizedNetworks"
    yield from _open(path, [at(entry, "value") for entry in items(instance.at(path))])


@rule(_FIREWALL)
def firewalls_are_closed_to_the_internet(firewall: Resource) -> Iterator[str]:
    """CIS Google Cloud 3.6, 3.7: no rule lets the internet in, by SSH and RDP least of all."""
    if firewall.at("allows") and firewall.at("direction") != "EGRESS" and firewall.at("disabled") is not True:
        yield from _open("sourceRanges", items(firewall.at("sourceRanges")))


@rule("gcp:compute/*irewallPolicyRule:*")
def firewall_policies_are_closed_to_the_internet(firewall: Resource) -> Iterator[str]:
    """CIS Google Cloud 3.6, 3.7: no rule of a firewall policy lets the internet in either."""
    allows = firewall.at("direction") == "INGRESS" and firewall.at("action") == "allow"
    if allows and firewall.at("disabled") is not True:
        yield from _open("match.srcIpRanges", items(firewall.at("match.srcIpRanges")))


@rule("gcp:container/cluster:Cluster")
def clusters_are_closed_to_the_internet(cluster: Resource) -> Iterator[str]:
    """CIS GKE 5.6.3: the networks that may reach a cluster's control plane are few."""
    path = "masterAuthorizedNetworksConfig.cidrBlocks"
    yield from _open(path, [at(entry, "cidrBlock") for entry in items(cluster.at(path))])


def _open(path: str, ranges: Sequence[object]) -> Iterator[str]:
    """Yield what is no network among the ranges at a path, and those that let in too many, taken together."""
    networks: list[_Network] = []
    for one in ranges:
        if one is UNKNOWN:
            continue
        try:
            networks.append(ipaddress.ip_network(str(one), strict=False))
        except ValueError:
            yield f"{path} has '{said(one)}', which is no network: write one such as 203.0.113.7/32"
    public = [network for network in networks if not _is_private(network)]
    v4 = [network for network in public if isinstance(network, ipaddress.IPv4Network)]
    v6 = [network for network in public if isinstance(network, ipaddress.IPv6Network)]
    for version, joined in ((4, [*ipaddress.collapse_addresses(v4)]), (6, [*ipaddress.collapse_addresses(v6)])):
        if sum(network.num_addresses for network in joined) >= _TOO_MANY[version]:
            yield (
                f"{path} opens it to {', '.join(map(str, joined))}, alone or taken together: name the addresses that"
                " need it, such as <your public address>/32"
            )


def _is_private(network: _Network) -> bool:
    return any(network.network_address in one and network.prefixlen >= one.prefixlen for one in _PRIVATE)


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
    firewalls_are_closed_to_the_internet,
    firewall_policies_are_closed_to_the_internet,
    clusters_are_closed_to_the_internet,
    databases_take_encrypted_connections_only,
    buckets_have_uniform_access,
    buckets_prevent_public_access,
)
