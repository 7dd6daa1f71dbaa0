"""The network of a node: one of Docker's, which minikube takes as it is; and the addresses of databases behind it.

It is there before the node, so that what pods ask for on this machine can be there before the pods.
"""

import os

from local.command import output, run
from local.instance import Instance
from local.minikube import docker
from local.packages import SYSTEM_FOLDERS


def up(instance: Instance) -> None:
    """Make the network, and the route to databases where it can be made before the node."""
    if instance.profile not in _networks():
        addresses = [f"--subnet={instance.node_subnet}", f"--gateway={instance.host_address}"]
        _docker("network", "create", *addresses, instance.profile)
    if os.geteuid() == 0 or instance.profile in _docker("ps", "--all", "--format={{.Names}}").split():
        route(instance)


def route(instance: Instance) -> None:
    """Make the addresses of Cloud SQL instances this machine's own, until the network goes.

    Only root may; for others it is done by a container of the node's image, whose root Docker's users may be.
    """
    network = _docker("network", "inspect", "--format={{.Id}}", instance.profile)
    words = ["route", "replace", "local", instance.sql_addresses, "dev", f"br-{network[:12]}"]
    if os.geteuid() == 0:
        run(["ip", *words], env={"PATH": SYSTEM_FOLDERS})
        return
    image = _docker("inspect", "--format={{.Image}}", instance.profile).strip()
    _docker("run", "--rm", "--network=host", "--cap-add=NET_ADMIN", "--entrypoint=ip", image, *words)


def down(instance: Instance) -> None:
    """Remove the network, unless minikube has done it."""
    if instance.profile in _networks():
        _docker("network", "rm", instance.profile)


def _networks() -> list[str]:
    return _docker("network", "ls", "--format={{.Name}}").split()


def _docker(*words: str) -> str:
    return output(["docker", *words], env=docker.environment())
