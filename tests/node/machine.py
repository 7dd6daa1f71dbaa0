"""What a node could leave on a machine: taken before and after, and compared."""

import os
import re
import subprocess
from pathlib import Path

from local.instance import Instance
from tests import firewall

SYSTEM_FOLDERS = ("/run/netns", "/run/containerd", "/run/cni", "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods")
SETTINGS = ("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "vm/overcommit_memory", "kernel/panic")

OF_AN_INSTANCE = re.compile(r"\bmlflow\d+\b|\b10\.89\.\d|\bmlflow-local-")
OF_DOCKER = re.compile(r"docker|DOCKER|:FORWARD|\bbr-[0-9a-f]{12}\b|\bveth[0-9a-f]{7}\b|ip_forward")
"""What an engine makes that an instance of another test may start and stop meanwhile; the node needs none of it."""


def trace(name: str) -> set[str]:
    """Return all that a node of that instance could touch, each as a line of text.

    Of other instances, which may come and go meanwhile, nothing is listed.
    """
    found = {*_processes(name), *_mounts(name), *_groups(name), *_network(), *_files(name), *_settings()}
    return {line for line in found if not _of_another(line, Instance(name))}


def _of_another(line: str, instance: Instance) -> bool:
    if OF_DOCKER.search(line):
        return True
    own = (instance.veth_host, f"10.89.{instance.number}", instance.network_namespace)
    return bool(OF_AN_INSTANCE.search(line)) and not any(re.search(rf"{re.escape(word)}\b", line) for word in own)


def _output(*argv: str) -> list[str]:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


def _processes(name: str) -> set[str]:
    """Programs that speak of the instance, other than this one."""
    found: set[str] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if f"/mlflow-local/{name}/" in command or f"mlflow-local-{name} " in command:
                found.add(f"process {entry.name}: {command[:100]}")
    return found


def _mounts(name: str) -> set[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {f"mount {line.split()[4]}" for line in lines if name in line}


def _groups(name: str) -> set[str]:
    return {f"control group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/mlflow-local-{name}")}


def _network() -> set[str]:
    links = {line.split("@")[0].split()[0] for line in _output("ip", "-brief", "link")}
    return {
        *links,
        *firewall.rules(),
        *(line.split()[0] for line in _output("ip", "netns")),
        *_output("ip", "route", "show", "table", "all"),
    }


def _files(name: str) -> set[str]:
    below = {str(path) for folder in SYSTEM_FOLDERS for path in Path(folder).glob("*")}
    return below | {str(path) for path in Path("/var/lib/mlflow-local").glob(f"{name}/**/*")}


def _settings() -> set[str]:
    return {f"{name} = {Path('/proc/sys', name).read_text().strip()}" for name in SETTINGS}
