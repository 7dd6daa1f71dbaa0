"""What an installation on minikube could leave on a machine: taken before and after, and compared."""

import os
import subprocess
from pathlib import Path

from local.instance import Instance
from tests import firewall


def trace(instance: Instance) -> set[str]:
    """Return what an instance, or the engine below it, makes on a machine, each as a line of text.

    Where another instance uses the engine as well, the engine's own traces are there before and after.
    """
    marks = (instance.profile, f"10.89.{instance.number}.", f"/mlflow-local/{instance.name}/")
    lines = [*_processes(), *_mounts(), *_groups(), *_links(), *firewall.rules(), *_files(instance)]
    return {line for line in lines if any(mark in line for mark in marks)}


def _output(*argv: str) -> list[str]:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


def _processes() -> list[str]:
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            found.append(f"process {entry.name}: {command}")
    return found


def _mounts() -> list[str]:
    return [f"mount {line.split()[4]}" for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _groups() -> list[str]:
    """Return the control groups of containers, which the engine names after their ids."""
    return [f"control group {path}" for path in Path("/sys/fs/cgroup").rglob("mlflow-local*")]


def _links() -> list[str]:
    return [*_output("ip", "-brief", "address"), *_output("ip", "route", "show", "table", "all")]


def _files(instance: Instance) -> list[str]:
    roots = (instance.state.parent, Path("/tmp"), Path.home())  # noqa: S108 - looked at, not written
    return [str(path) for root in roots for path in root.glob(f"*{instance.name}*")]
