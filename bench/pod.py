"""The server's running container as the machine sees it: processes, environment, memory.

The kernel's files are read directly: Kubernetes' own metrics know no PSS. Works on cgroup v1 and v2.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.installation import PODS, Installation
from local.errors import UserError

MIB = 1024**2


@dataclass(frozen=True)
class Memory:
    """Memory of a container, in bytes.

    Attributes:
        pss: of its processes, what several share split among them (proc_pid_smaps(5)).
        working_set: as the kubelet counts it: everything but the page cache that nobody used of late.

    """

    pss: int
    working_set: int


@dataclass(frozen=True)
class Container:
    """A running container, known by its control group of the memory controller."""

    group: Path
    arguments: Sequence[str]
    """Command line of the pod's description; the process of that name became the web server."""

    def pids(self) -> list[int]:
        """Return its processes, the first one first."""
        return sorted(int(line) for line in (self.group / "cgroup.procs").read_text().split())

    def memory(self) -> Memory:
        """Return what it uses now."""
        return Memory(sum(map(_pss, self.pids())), self._working_set())

    def _working_set(self) -> int:
        statistics = dict(line.split() for line in (self.group / "memory.stat").read_text().splitlines())
        v1 = self.group / "memory.usage_in_bytes"
        used = int((v1 if v1.exists() else self.group / "memory.current").read_text())
        return used - int(statistics["total_inactive_file" if v1.exists() else "inactive_file"])

    def command(self) -> list[str]:
        """Return the command line that it was started with."""
        environment = self.environment()
        return [re.sub(r"\$\((\w+)\)", lambda name: environment[name[1]], word) for word in self.arguments]

    def environment(self) -> dict[str, str]:
        """Return the environment that its first process was given."""
        return dict(word.split("=", 1) for word in _words(self.pids()[0], "environ"))


def container(installation: Installation) -> Container:
    """Return the container of the only server pod.

    Raises:
        UserError: its control group is not to be found.

    """
    pods = json.loads(installation.kubectl("get", "pods", "--selector", PODS, "--output", "json"))["items"]
    arguments = pods[0]["spec"]["containers"][0]["command"]
    identifier = pods[0]["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    for group in _groups(identifier):
        return Container(group, arguments)
    raise UserError(f"no control group of the memory controller is called {identifier}: does the pod still run?")


def _groups(identifier: str) -> Iterator[Path]:
    """Yield the control group of the memory controller that a process of the container is in (cgroups(7))."""
    for file in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            lines = file.read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        for _, controllers, path in (line.split(":", 2) for line in lines):
            if identifier in path and controllers in {"memory", ""}:
                group = Path("/sys/fs/cgroup", controllers, path.lstrip("/"))
                if (group / "memory.stat").exists():
                    yield group


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended while we looked
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _words(pid: int, file: str) -> list[str]:
    return Path(f"/proc/{pid}/{file}").read_text().rstrip("\0").split("\0")
