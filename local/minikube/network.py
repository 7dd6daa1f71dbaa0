"""The network of a node: one of Docker's, which minikube takes as it is; and the addresses of databases behind it.

It is there before the node, so that what pods ask for on this machine can be there before the pods.
"""

import os
import socket
from pathlib import Path

from local.command import output, run
from local.errors import UserError
from local.instance import Instance
from local.minikube import docker
from local.packages import SYSTEM_FOLDERS


def up(instance: Instance) -> None:
    """Make the network, and the route to databases where it can be made before the node.

    Raises:
        UserError: this machine has no address in Docker's networks.

    """
    if instance.profile not in _networks():
        addresses = [f"--subnet={instance.node_subnet}", f"--gateway={instance.host_address}"]
        _docker("network", "create", *addresses, instance.profile)
    with socket.socket() as probe:
        try:
            probe.bind((instance.host_address, 0))
        except OSError as error:
            raise UserError(
                f"{instance.host_address}, the gateway of a network of Docker's, is no address of this machine: use a "
                "Docker engine of this machine itself, neither a remote nor a rootless one, nor Docker Desktop's"
            ) from error
    if os.geteuid() == 0 or _note(instance).exists():
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
    if not _note(instance).exists():
        _note(instance).write_text(_docker("inspect", "--format={{.Image}}", instance.profile).strip())
    image = _note(instance).read_text()
    _docker("run", "--rm", "--network=host", "--cap-add=NET_ADMIN", "--entrypoint=ip", image, *words)


def _note(instance: Instance) -> Path:
    """Return the file with the image of the node, which may have been removed while it was stopped."""
    return instance.state / "node-image"


def down(instance: Instance) -> None:
    """Remove the network, unless minikube has done it."""
    if instance.profile in _networks():
        _docker("network", "rm", instance.profile)


def _networks() -> list[str]:
    return _docker("network", "ls", "--format={{.Name}}").split()


def _docker(*words: str) -> str:
    return output(["docker", *words], env=docker.environment())
