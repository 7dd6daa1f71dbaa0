"""What a start checks before it starts anything: names, addresses and room for the node."""

import ipaddress
import json
import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from local.command import output
from local.errors import UserError
from local.instance import NAME_VARIABLE, Instance
from local.minikube import docker

NEEDED_MINIKUBE = (1, 36)
NEEDED_CPUS = 2
NEEDED_MEMORY_GIB = 3.5  # what a machine of 4 GiB has
NEEDED_DISK_GIB = 5
WIDEST_NETWORK = 16
"""Prefix length of the widest route that counts as a network in use; a wider one, as of a VPN, gives way to ours."""
GIB = 1024**3


def version() -> None:
    """Check that the `minikube` on PATH, if there is one, is new enough.

    Raises:
        UserError: here and below: it is not; names what was found and what helps.

    """
    if shutil.which("minikube") is None:
        return
    with TemporaryDirectory() as home:  # it makes its folder, even to tell its version
        said = output(["minikube", "version", "--short"], env={"MINIKUBE_HOME": home}).strip()
    found = re.fullmatch(r"v(\d+)\.(\d+)\..*", said)
    if found is None or (int(found[1]), int(found[2])) < NEEDED_MINIKUBE:
        wanted = ".".join(map(str, NEEDED_MINIKUBE))
        raise UserError(
            f"`minikube` is {said}, v{wanted} or newer is needed: https://minikube.sigs.k8s.io/docs/start/ "
            "(macOS: `brew upgrade minikube`)"
        )


def user() -> None:
    """Check that root asks for the stand-in of an ingress controller, which lives in the node's network."""
    if os.geteuid() != 0:
        raise UserError(
            f"`python -m local start` enters the network of a node as root, and this is user id {os.geteuid()}: "
            "run it by `sudo`"
        )


def names(instance: Instance) -> None:
    """Check that what has the node's name in Docker is nobody else's; for an instance that has no cluster yet."""
    for kind in ("container", "network", "volume"):
        name, every = ("Names", ["--all"]) if kind == "container" else ("Name", [])
        listing = ["docker", kind, "ls", *every, f"--filter=name={instance.profile}", f"--format={{{{.{name}}}}}"]
        listed = output(listing, env=docker.environment())
        if instance.profile in listed.split():
            raise UserError(
                f"Docker has a {kind} {instance.profile!r} already, of another user or of a clone that is gone: give "
                f"this instance another name with {NAME_VARIABLE}, or remove it by `docker {kind} rm`"
            )


def room() -> None:
    """Check that a node fits into what the engine may use."""
    engine = json.loads(output(["docker", "info", "--format={{json .}}"], env=docker.environment()))
    memory = engine["MemTotal"] / GIB
    if engine["NCPU"] < NEEDED_CPUS or memory < NEEDED_MEMORY_GIB:
        raise UserError(
            f"Docker has {engine['NCPU']} CPUs and {memory:.1f} GiB of memory, the node needs {NEEDED_CPUS} and "
            f"{NEEDED_MEMORY_GIB} GiB: use a larger machine, or on macOS give Docker Desktop more (Settings, Resources)"
        )
    folder = Path(engine["DockerRootDir"])
    try:
        free = shutil.disk_usage(folder).free / GIB
    except (FileNotFoundError, PermissionError):
        return  # it is in a virtual machine, or not for this user to look into
    if free < NEEDED_DISK_GIB:
        raise UserError(
            f"{folder}, where Docker keeps its images, has {free:.1f} GiB free, {NEEDED_DISK_GIB} GiB are needed: "
            "free some, for instance by `docker builder prune`"
        )


def addresses(instance: Instance) -> None:
    """Check that no other network of this machine has the instance's addresses; for one that has no cluster yet."""
    if shutil.which("ip") is None:
        return  # macOS: Docker's networks are inside its virtual machine
    ours = ipaddress.ip_network(instance.subnet)
    for route in json.loads(output(["ip", "-j", "-4", "route", "show"]) or "[]"):
        destination = ipaddress.ip_network(route["dst"].replace("default", "0.0.0.0/0"), strict=False)
        if destination.prefixlen >= WIDEST_NETWORK and ours.overlaps(destination):
            raise UserError(
                f"{instance.subnet} is in use on this machine: {destination} goes to {route.get('dev', 'elsewhere')}. "
                f"Give this instance another name with {NAME_VARIABLE}; its addresses follow from it"
            )
