"""What an instance could leave on a machine: taken before and after, and compared."""

import os
import subprocess
from pathlib import Path

from local.cache import cache_root
from local.instance import STATE_ROOT, Instance
from local.minikube import docker
from local.minikube.docker import CONTROL_GROUP, FOLDER
from tests import firewall


def trace(instance: Instance, *, with_engine: bool = True) -> set[str]:
    """Return what bears the marks of an instance, each as a line of text that begins with its kind.

    What an engine of our own leaves of itself counts as well if asked for, unless another instance may use it.
    """
    marks = [f"{instance.profile} ", f"10.89.{instance.number}.", str(instance.state)]
    if with_engine and not [other for other in STATE_ROOT.glob("*/.minikube") if other.parent != instance.state]:
        marks += [str(FOLDER), str(cache_root() / "docker"), "docker0", "DOCKER", f"/{CONTROL_GROUP} ", "ip_forward"]
    lines = [*_processes(), *_mounts(), *_groups(), *_network(), *_files(instance)]
    return {line for line in lines if any(mark in f"{line} " for mark in marks)}


def _output(*argv: str) -> list[str]:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


def _processes() -> list[str]:
    """Return the programs that run, other than this one and what started it."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) not in {os.getpid(), os.getppid()}:
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            found.append(f"process {entry.name}: {command}")
    return found


def _mounts() -> list[str]:
    return [f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _groups() -> list[str]:
    roots = Path("/sys/fs/cgroup")
    return [f"control group {path}" for depth in ("", "*/") for path in roots.glob(f"{depth}{CONTROL_GROUP}")]


def _network() -> list[str]:
    forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()
    return [
        *(f"link {line.split()[0]} {line.split()[2:]}" for line in _output("ip", "-brief", "address")),
        *(f"route {line}" for line in _output("ip", "route", "show", "table", "all")),
        *(f"rule {line}" for line in firewall.rules()),
        f"setting ip_forward {forwarding}",
    ]


def _files(instance: Instance) -> list[str]:
    """Return the instance's files, and what begins with the names that Docker and minikube use by themselves."""
    home = Path.home()
    volumes = (docker.data_root() / "volumes").glob(instance.profile)
    found = [
        *instance.state.rglob("*"),
        *volumes,
        *(home / ".minikube").glob("*"),
        *(home / ".docker").glob("contexts/*"),
    ]
    return [f"file {path}" for path in [*found, *STATE_ROOT.glob(".docker*")]]
