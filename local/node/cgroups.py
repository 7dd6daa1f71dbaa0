"""The control groups below which all pods of an instance live, on cgroup v1, v2 and both at once.

Owns making the root group (the kubelet wants it there), finding what runs below it, and removing it. What is below
the root is the kubelet's and runc's.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from local.instance import Instance

# What the kubelet asks of a cgroup v2 root (k8s.io/kubernetes/pkg/kubelet/cm, getSupportedUnifiedControllers).
CONTROLLERS = ("cpu", "cpuset", "memory", "hugetlb", "pids")


def hierarchies() -> list[Path]:
    """Return where control groups are mounted: one folder for each v1 controller, or one for v2."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(folder) for _, folder, kind, *_ in mounts if kind in ("cgroup", "cgroup2")]


def create(instance: Instance) -> None:
    """Make the root group wherever control groups are mounted."""
    for hierarchy in hierarchies():
        _enable_controllers(hierarchy)
        (hierarchy / instance.cgroup_root.lstrip("/")).mkdir(exist_ok=True)


def _enable_controllers(hierarchy: Path) -> None:
    available = hierarchy / "cgroup.controllers"
    if not available.exists():
        return  # v1: a hierarchy is a controller
    enabled = hierarchy / "cgroup.subtree_control"
    for controller in set(CONTROLLERS) & set(available.read_text().split()) - set(enabled.read_text().split()):
        enabled.write_text(f"+{controller}")


def _groups(instance: Instance) -> Iterator[Path]:
    """Yield the instance's groups, the innermost first."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy / instance.cgroup_root.lstrip("/"), topdown=False):
            yield Path(folder)


def processes(instance: Instance) -> set[int]:
    """Return the ids of all processes in the instance's groups."""
    found: set[int] = set()
    for group in _groups(instance):
        try:
            found.update(map(int, (group / "cgroup.procs").read_text().split()))
        except (FileNotFoundError, OSError):  # it went while we looked
            continue
    return found


def remove(instance: Instance) -> None:
    """Remove the groups; those that are still in use stay (`leftovers` names them)."""
    for group in _groups(instance):
        try:
            group.rmdir()
        except OSError:
            continue


def leftovers(instance: Instance) -> list[str]:
    """Name the groups that are left."""
    return [f"control group {group}" for group in _groups(instance)]
