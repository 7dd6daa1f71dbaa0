"""An instance's cluster: Docker's engine, minikube's profile on it, and the stand-in of an ingress controller."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from local.instance import Instance
from local.minikube import cluster as minikube
from local.minikube import docker, ingress


def provide(instance: Instance) -> None:
    """Have an engine answer, and build what is missing."""
    docker.up(instance.name)
    minikube.provide(instance)


def up(instance: Instance, archives: Mapping[str, Path]) -> None:
    """Start what is missing of it, and bring in images: archives by name."""
    minikube.up(instance)
    for name, archive in archives.items():
        minikube.load(instance, name, archive)


def down(instance: Instance) -> None:
    """Stop it; what is on disk stays."""
    ingress.down(instance)
    minikube.down(instance)
    docker.down(instance.name)


def purge(instance: Instance) -> None:
    """Remove it with everything that it holds."""
    ingress.down(instance)
    minikube.purge(instance)
    docker.down(instance.name)


def report(instance: Instance) -> list[tuple[str, str, Path]]:
    """Return its parts: name, state and log of each."""
    log = minikube.log(instance)
    return [(part, state, log) for part, state in asdict(minikube.status(instance)).items()]
