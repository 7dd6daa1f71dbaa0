"""The node's network namespace and the link between it and this machine.

Owns the namespace, the veth pair with its two addresses, and the route that makes the Cloud SQL addresses local to this
machine. The host's firewall rules and sysctls stay as they are: nothing is forwarded by the host, because all that
pods may reach is the host itself. What happens inside the namespace besides is up to kube-proxy and the CNI plugin.
"""

import ipaddress
import json
from pathlib import Path
from typing import Any

from local.command import output, run
from local.errors import UserError
from local.instance import Instance
from local.node.layout import SERVICE_ADDRESSES
from local.process import wait_for
from local.progress import say

NAMESPACES = Path("/run/netns")
"""Where network namespaces have their names (ip-netns(8))."""
WIDEST_NETWORK = 16
"""Prefix length of the widest route that counts as a network in use; a wider one, as of a VPN, gives way to ours."""


def namespace_file(instance: Instance) -> Path:
    """Return the file that stands for the namespace."""
    return NAMESPACES / instance.network_namespace


def namespace_exists(instance: Instance) -> bool:
    """Tell whether the namespace is there; its file alone is what an interrupted `ip netns add` leaves."""
    file = namespace_file(instance)
    return file.exists() and file.stat().st_dev != file.parent.stat().st_dev


def up(instance: Instance) -> None:
    """Make the namespace, the link, its addresses and the routes, as far as they are missing.

    Raises:
        UserError: the addresses are in use by another instance or another network of this machine.

    """
    _require_free(instance)
    _make_namespace(instance)
    _make_link(instance)
    prefix = ipaddress.ip_network(instance.subnet).prefixlen
    run(["ip", "address", "replace", f"{instance.host_address}/{prefix}", "dev", instance.veth_host])
    run(["ip", "link", "set", instance.veth_host, "up"])
    run(["ip", "route", "replace", "local", instance.sql_addresses, "dev", "lo"])
    inside = ["ip", "-n", instance.network_namespace]
    run([*inside, "address", "replace", f"{instance.node_address}/{prefix}", "dev", instance.veth_node])
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "link", "set", instance.veth_node, "up"])
    # Programs on the node itself reach a Service only if there is a route that kube-proxy's rules can then change.
    # There is no default route: what is not on this machine is refused at once instead of timing out.
    run([*inside, "route", "replace", SERVICE_ADDRESSES, "via", instance.host_address])


def down(instance: Instance) -> None:
    """Remove all that `up` made, as far as it is there."""
    if _link_owner(instance) == instance.network_namespace:
        run(["ip", "link", "delete", instance.veth_host])
    if namespace_file(instance).exists():
        run(["ip", "netns", "delete", instance.network_namespace])
    if _sql_route(instance) and _link_owner(instance) is None:
        run(["ip", "route", "delete", "local", instance.sql_addresses, "dev", "lo"])
    _leave_namespaces_folder()
    wait_for(lambda: not leftovers(instance), what="the network namespace to go", deadline=10)


def _leave_namespaces_folder() -> None:
    """Undo that the machine's first `ip netns add` makes the folder a mount of its own; the next one does it again."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if str(NAMESPACES) in mounted and not any(NAMESPACES.iterdir()):
        try:
            run(["umount", NAMESPACES])
        except UserError as error:  # busy: another namespace came meanwhile, and keeps it
            say(f"node: {NAMESPACES} stays mounted: {error}")


def leftovers(instance: Instance) -> list[str]:
    """Name what is left of the instance's network."""
    there = {
        f"network namespace {instance.network_namespace}": namespace_file(instance).exists(),
        f"link {instance.veth_host}": _link_owner(instance) == instance.network_namespace,
        f"route {instance.sql_addresses}": _sql_route(instance) and _link_owner(instance) is None,
    }
    return [what for what, found in there.items() if found]


def _require_free(instance: Instance) -> None:
    owner = _link_owner(instance)
    if owner not in (None, instance.network_namespace):
        raise UserError(
            f"{instance.subnet} belongs to {owner or 'a link of another program'} (link {instance.veth_host}): "
            f"give this instance another name with MLFLOW_LOCAL_INSTANCE, {instance.name!r} leads to the same addresses"
        )
    ours = ipaddress.ip_network(instance.subnet)
    for route in _json(["ip", "-j", "-4", "route", "show"]):
        destination = ipaddress.ip_network(route["dst"].replace("default", "0.0.0.0/0"), strict=False)
        if destination.prefixlen < WIDEST_NETWORK or route.get("dev") == instance.veth_host:
            continue
        if ours.overlaps(destination):
            raise UserError(
                f"{instance.subnet} is in use on this machine: {destination} goes to {route.get('dev', 'elsewhere')}. "
                "Give this instance another name with MLFLOW_LOCAL_INSTANCE; its addresses follow from it"
            )


def _make_namespace(instance: Instance) -> None:
    if namespace_exists(instance):
        return
    if namespace_file(instance).exists():
        run(["ip", "netns", "delete", instance.network_namespace])
    run(["ip", "netns", "add", instance.network_namespace])


def _make_link(instance: Instance) -> None:
    if _link_owner(instance) is None:
        peer = ["peer", "name", instance.veth_node, "netns", instance.network_namespace]
        run(["ip", "link", "add", instance.veth_host, "type", "veth", *peer])


def _link_owner(instance: Instance) -> str | None:
    """Return the namespace at the link's other end, "" where that has no name; None when there is no such link."""
    for link in _json(["ip", "-j", "link", "show"]):
        if link["ifname"] == instance.veth_host:
            names = {space.get("id"): space["name"] for space in _json(["ip", "-j", "netns", "list"])}
            return names.get(link.get("link_netnsid"), "")
    return None


def _sql_route(instance: Instance) -> bool:
    return bool(_json(["ip", "-j", "route", "show", "table", "local", "type", "local", "root", instance.sql_addresses]))


def _json(argv: list[str]) -> list[dict[str, Any]]:
    return json.loads(output(argv) or "[]")
