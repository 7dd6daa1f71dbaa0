"""The way to Cloud SQL's private addresses: private services access on an existing network.

Owns a range of the network's addresses and the peering with Google's services over it; a network has one such peering,
and one that others made is refused by Google and not touched. Leaves the network itself, its subnets and its firewall
to whoever runs the cluster on it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

# Room for every region and service of a project; cloud.google.com/vpc/docs/configure-private-services-access names it
_PREFIX_LENGTH = 20


@dataclass(frozen=True, kw_only=True)
class PrivateServicesArgs:
    """What a PrivateServices needs."""

    network: str
    """The network, `projects/<project>/global/networks/<name>`."""
    range_name: str
    """Physical name of the range, unique in the project."""


class PrivateServices(pulumi.ComponentResource):
    """A range of addresses that Google's services take theirs from, peered with the network; both outlive the stack."""

    network: pulumi.Output[str]
    """The network, known once the peering stands."""

    def __init__(self, name: str, args: PrivateServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:gcp:PrivateServices", name, None, opts)
        # Google refuses to take a peering away for days after the last instance behind it is gone, and one without its
        # range would leave the next stack's instance without an address.
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        addresses = gcp.compute.GlobalAddress(
            f"{name}-services",
            name=args.range_name,
            address_type="INTERNAL",
            purpose="VPC_PEERING",
            prefix_length=_PREFIX_LENGTH,
            network=args.network,
            opts=child,
        )
        peering = gcp.servicenetworking.Connection(
            f"{name}-services",
            network=args.network,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[addresses.name],
            opts=child,
        )
        self.network = peering.network
        self.register_outputs({"network": self.network})
