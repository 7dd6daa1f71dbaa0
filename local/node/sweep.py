"""Finds and ends whatever still runs for an instance, also what no process id file tells of.

A process belongs to the instance when it is in one of its control groups (pods), or in its network or mount namespace
(the node's programs, and containerd's shims, which outlive containerd).
"""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from local.errors import UserError
from local.instance import Instance
from local.node import cgroups, network
from local.node.layout import Layout
from local.process import wait_for

Namespace = tuple[int, int]
KINDS = ("net", "mnt")


def namespaces(instance: Instance, known_pids: Iterable[int]) -> set[Namespace]:
    """Return the instance's namespaces: the named one, and those of its processes as far as they are not the host's."""
    found = {_identity(Path(f"/proc/{pid}/ns/{kind}")) for pid in known_pids for kind in KINDS}
    if network.namespace_exists(instance):
        found.add(_identity(network.namespace_file(instance)))
    of_the_host = {_identity(Path(f"/proc/self/ns/{kind}")) for kind in KINDS}
    return {namespace for namespace in found if namespace} - {namespace for namespace in of_the_host if namespace}


def processes(instance: Instance, spaces: set[Namespace]) -> set[int]:
    """Return the ids of all processes that belong to the instance."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return _belonging(pids, instance, spaces)


def _belonging(pids: Iterable[int], instance: Instance, spaces: set[Namespace]) -> set[int]:
    grouped = cgroups.processes(instance)
    return {
        pid
        for pid in pids
        if pid in grouped or any(_identity(Path(f"/proc/{pid}/ns/{kind}")) in spaces for kind in KINDS)
    }


def end_all(instance: Instance, spaces: set[Namespace]) -> None:
    """End every process of the instance at once and remove its control groups.

    Raises:
        UserError: some are still there after 15 s.

    """

    def gone() -> bool:
        for pid in processes(instance, spaces):
            _kill(instance, pid, spaces)
        cgroups.remove(instance)
        return not processes(instance, spaces) and not cgroups.leftovers(instance)

    try:
        wait_for(gone, what="the node's processes to end", deadline=15)
    except UserError as error:
        left = [_describe(pid) for pid in processes(instance, spaces)] + cgroups.leftovers(instance)
        raise UserError(f"could not end {', '.join(left)}: end them by hand, then try again") from error


def end_titled(instance: Instance, title: str) -> None:
    """End the processes in the instance's network that call themselves so."""
    spaces = namespaces(instance, [])
    for pid in processes(instance, spaces):
        if _title(pid).startswith(title):
            _kill(instance, pid, spaces)


def require_gone(instance: Instance) -> None:
    """Check that a stop left nothing but files.

    Raises:
        UserError: it did; names what.

    """
    state = str(Layout(instance).folder)
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    left = [f"mount {folder}" for folder in mounted if folder.startswith(state)]
    left += cgroups.leftovers(instance) + network.leftovers(instance)
    if left:
        raise UserError(f"the node {instance.name} is stopped, but left {', '.join(left)}: remove them by hand")


def _kill(instance: Instance, pid: int, spaces: set[Namespace]) -> None:
    """End a process, but none that got its id meanwhile: a pidfd stays with the process it was opened for."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _belonging([pid], instance, spaces):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _identity(namespace: Path) -> Namespace | None:
    try:
        status = namespace.stat()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return status.st_dev, status.st_ino


def _describe(pid: int) -> str:
    return f"process {pid} ({_title(pid)[:80] or '?'})"


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
