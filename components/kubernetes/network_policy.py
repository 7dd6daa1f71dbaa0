"""What may talk to the server's pods, and what they may talk to.

A cluster enforces it only with a network plugin that can (on GKE: Dataplane V2); elsewhere it is accepted and idle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgsDict

from components.kubernetes.metrics import METRICS_PORT

_POSTGRESQL = 5432
_PORTS = {"http": 80, "https": 443}
# On GKE it resolves names as well, where Cloud DNS does (always on Autopilot).
_METADATA_SERVER = "169.254.169.254/32"
# Behind it: cloud.google.com/kubernetes-engine/docs/how-to/network-policy names both addresses.
_GKE_METADATA_SERVER = "169.254.169.252/32"
# On GKE, of each node: cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache
_NODE_LOCAL_DNS = "169.254.20.10/32"


@dataclass(frozen=True, kw_only=True)
class NetworkPolicyArgs:
    """What the NetworkPolicy is made of."""

    namespace: pulumi.Input[str]
    """Namespace of the pods."""
    app: str
    """Name of the policy."""
    pod_labels: Mapping[str, str]
    """Labels of the server's pods."""
    port: int
    """Port of the server."""
    metrics: bool
    """Whether Prometheus asks the pods as well."""
    database_host: pulumi.Input[str]
    """IPv4 address of the database."""
    storage_endpoint: str | None
    """URL of Cloud Storage, where it is not Google's public one."""


def network_policy(name: str, args: NetworkPolicyArgs, opts: pulumi.ResourceOptions) -> None:
    """Let the pods of the namespace answer on the server's port and reach DNS, the database and Cloud Storage."""
    ports = [args.port, METRICS_PORT] if args.metrics else [args.port]
    kubernetes.networking.v1.NetworkPolicy(
        f"{name}-network-policy",
        metadata={"name": args.app, "namespace": args.namespace},
        spec={
            # Every pod of the namespace: migration and garbage collection go the same ways as the server.
            "pod_selector": {},
            "policy_types": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"port": port, "protocol": "TCP"} for port in ports]}],
            "egress": _egress(args),
        },
        opts=opts,
    )


def _egress(args: NetworkPolicyArgs) -> list[NetworkPolicyEgressRuleArgsDict]:
    rules: list[NetworkPolicyEgressRuleArgsDict] = [
        {
            "to": [
                {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}}},
                *({"ip_block": {"cidr": each}} for each in (_METADATA_SERVER, _NODE_LOCAL_DNS)),
            ],
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        },
        {
            "to": [{"ip_block": {"cidr": pulumi.Output.concat(args.database_host, "/32")}}],
            "ports": [{"port": _POSTGRESQL, "protocol": "TCP"}],
        },
        # Garbage collection asks the server itself.
        {
            "to": [{"pod_selector": {"match_labels": args.pod_labels}}],
            "ports": [{"port": args.port, "protocol": "TCP"}],
        },
        # Google's APIs have no addresses of their own to name.
        {"ports": [{"port": 443, "protocol": "TCP"}]},
        {
            "to": [{"ip_block": {"cidr": _METADATA_SERVER}}, {"ip_block": {"cidr": _GKE_METADATA_SERVER}}],
            "ports": [{"port": port, "protocol": "TCP"} for port in (80, 987, 988)],
        },
    ]
    if args.storage_endpoint is not None:
        endpoint = urlsplit(args.storage_endpoint)
        rules.append({"ports": [{"port": endpoint.port or _PORTS[endpoint.scheme], "protocol": "TCP"}]})
    return rules
