"""An instance's cluster: minikube's, or the single node that is built here; what the command line asks of either."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from local import image
from local.engine.environment import first_on_path
from local.instance import Instance
from local.minikube import checks, docker, ingress
from local.minikube import cluster as minikube
from local.node import host, images, metrics_server, network, node
from local.node.binaries import build as node_binaries
from local.node.layout import Layout


def check(instance: Instance, *, building: bool) -> None:
    """Check that this machine can run it, and install what is missing; `building` tells whether an image may be built.

    Raises:
        UserError: it can not; says why and what to do about it.

    """
    if not instance.on_minikube:
        host.check(image.PACKAGES if building else None)
    elif building:
        checks.version()
        checks.user()


def provide(instance: Instance) -> None:
    """Build what is missing."""
    if instance.on_minikube:
        docker.up(instance)
        minikube.provide(instance)
    else:
        node_binaries()
        metrics_server.build()


def connect(instance: Instance) -> None:
    """Make the network between this machine and the cluster."""
    if instance.on_minikube:
        minikube.connect(instance)
    else:
        network.up(instance)


def up(instance: Instance, archives: Mapping[str, Path]) -> None:
    """Start what is missing of it, and bring in images: archives by name."""
    if not instance.on_minikube:
        node.up(instance, node_binaries(), archives)
        return
    minikube.up(instance)
    load(instance, archives)


def load(instance: Instance, archives: Mapping[str, Path]) -> None:
    """Bring images into a running cluster: archives by name."""
    if not instance.on_minikube:
        images.ensure(Layout(instance), archives)
        return
    for name, archive in archives.items():
        minikube.load(instance, name, archive)


def start_ingress(instance: Instance) -> None:
    """Start the stand-in of an ingress controller; our own node has it anyway."""
    if instance.on_minikube:
        ingress.up(instance)


def down(instance: Instance) -> None:
    """Stop it; what is on disk stays."""
    if instance.on_minikube:
        ingress.down(instance)
        minikube.down(instance)
        docker.down(instance)
    else:
        node.down(instance)


def purge(instance: Instance) -> None:
    """Remove it with everything that it holds."""
    if instance.on_minikube:
        ingress.down(instance)
        minikube.purge(instance)
        docker.down(instance)
    else:
        node.purge(instance)


def ready(instance: Instance) -> bool:
    """Tell whether all of it runs."""
    return minikube.status(instance).ready if instance.on_minikube else node.status(instance).ready


def report(instance: Instance) -> list[tuple[str, str, Path]]:
    """Return its parts: name, state and log of each."""
    if instance.on_minikube:
        log = minikube.log(instance)
        return [(part, state, log) for part, state in asdict(minikube.status(instance)).items()]
    found = node.status(instance)
    return [(name, f"pid {pid}" if pid else "stopped", found.logs[name]) for name, pid in found.pids.items()]


def environment(instance: Instance, path: str | None) -> dict[str, str]:
    """Return the variables with which people's programs find it.

    Args:
        instance: whose cluster.
        path: the PATH to put ours in front of, by default this process's.

    """
    if instance.on_minikube:
        return minikube.environment(instance, path)
    first = first_on_path(node_binaries() / "bin", path or os.environ.get("PATH", ""))
    return {"PATH": first, "KUBECONFIG": str(node.kubeconfig(instance))}
