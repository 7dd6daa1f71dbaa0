"""The network of a node: one of Docker's, which minikube takes as it is; and the addresses of databases behind it.

It is there before the node, so that what pods ask for on this machine can be there before the pods.
"""

from local.command import output, run
from local.instance import Instance
from local.minikube import docker
from local.packages import SYSTEM_FOLDERS


def up(instance: Instance) -> None:
    """Make the network and the route that makes the addresses of Cloud SQL instances this machine's own."""
    if instance.profile not in _networks():
        addresses = [f"--subnet={instance.node_subnet}", f"--gateway={instance.host_address}"]
        _docker("network", "create", *addresses, instance.profile)
    network = _docker("network", "inspect", "--format={{.Id}}", instance.profile)
    # The route goes with the bridge.
    route = ["route", "replace", "local", instance.sql_addresses, "dev", f"br-{network[:12]}"]
    run(["ip", *route], env={"PATH": SYSTEM_FOLDERS})


def down(instance: Instance) -> None:
    """Remove the network, unless minikube has done it."""
    if instance.profile in _networks():
        _docker("network", "rm", instance.profile)


def _networks() -> list[str]:
    return _docker("network", "ls", "--format={{.Name}}").split()


def _docker(*words: str) -> str:
    return output(["docker", *words], env=docker.environment())
