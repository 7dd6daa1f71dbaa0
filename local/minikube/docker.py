"""The Docker engine: the one that answers already, or one of our own where none does.

An engine of our own is started on a Debian machine by root. All instances share it; it ends with the last of them. Its
images are kept with everything else that is built; what it changed of this machine's network goes when it goes.
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from local.cache import cache_root, locked
from local.command import output, run
from local.engine.environment import first_on_path
from local.errors import UserError
from local.instance import STATE_ROOT
from local.minikube import programs
from local.packages import SYSTEM_FOLDERS, require
from local.process import Daemon, wait_for
from local.progress import step

PACKAGES = {"/usr/sbin/dockerd": "docker.io", "iptables-save": "iptables", "ip": "iproute2"}
FOLDER = STATE_ROOT / ".docker"
"""Of our own engine; it is there from the engine's first start until its end for good."""
LOCK = STATE_ROOT / ".docker.lock"
CONTROL_GROUP = "mlflow-local"
START_SECONDS = 60
STOP_SECONDS = 60
SYSTEM = {"PATH": SYSTEM_FOLDERS}
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def environment(path: str | None = None) -> dict[str, str]:
    """Return the variables with which `docker` finds our own engine; none where another is used.

    Args:
        path: the PATH to put Debian's client in front of, by default this process's.

    """
    if not FOLDER.exists():
        return {}
    return {
        "DOCKER_HOST": f"unix://{FOLDER}/docker.sock",
        "DOCKER_CONFIG": str(FOLDER / "config"),
        "PATH": first_on_path(FOLDER / "bin", path or os.environ.get("PATH", "")),
    }


def up() -> None:
    """Make an engine answer.

    Raises:
        UserError: none answers, and none can be started from here; says what helps.

    """
    if not FOLDER.exists() and _ask().returncode == 0:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UserError(_remedy())
    require(PACKAGES)
    with _alone():
        if not _daemon().running():
            with step("docker: starting an engine, since none answers"):
                _start()


def down() -> None:
    """Stop our own engine, unless a container runs on it; where it holds none at all, it goes for good."""
    if not FOLDER.exists():
        return
    with _alone():
        daemon = _daemon()
        if daemon.running():
            if _docker("ps", "--quiet"):
                return
            holds_containers = bool(_docker("ps", "--all", "--quiet"))
            bridges = [f"br-{network[:12]}" for network in _docker("network", "ls", "--quiet").split()]
            daemon.stop(STOP_SECONDS)
            _restore_network([*bridges, "docker0"])
            _remove_control_groups()
            _unmount()
            if not holds_containers:
                shutil.rmtree(FOLDER)
                LOCK.unlink()


def stopped() -> bool:
    """Tell whether there is an engine of our own that does not run."""
    return FOLDER.exists() and not _daemon().running()


def _alone() -> AbstractContextManager[None]:
    return locked(LOCK, "docker: waiting for another start or stop of the engine …")


def _docker(*words: str) -> str:
    return output(["docker", *words], env=environment())


def _ask() -> subprocess.CompletedProcess[str]:
    """Ask the engine for its version: ours, or the one that the person's own settings name."""
    command = ["docker", "version"]
    if shutil.which("docker") is None:
        return subprocess.CompletedProcess(command, 1, "", "no docker")
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment()})


def _remedy() -> str:
    """Say why no engine answers, and what helps."""
    mac = platform.system() == "Darwin"
    if shutil.which("docker") is None:
        how = "brew install --cask docker" if mac else "sudo apt-get install docker.io"
        return f"`docker` is not on PATH: run `{how}`"
    said = _ask().stderr.strip().rpartition("\n")[2]
    if "permission denied" in said:
        return f"Docker does not let this user in ({said}): run `sudo usermod -aG docker $USER`, then log in anew"
    how = "`open -a Docker`" if mac else "`sudo systemctl start docker`"
    return f"`docker` is there, but its engine does not answer ({said}): start it with {how}"


def _daemon() -> Daemon:
    command = ["/usr/sbin/dockerd", "--config-file", FOLDER / "daemon.json"]
    return Daemon(name="docker", argv=command, run_dir=FOLDER / "run", log_dir=FOLDER)


def _start() -> None:
    for folder in (FOLDER / "config", FOLDER / "bin", cache_root() / "docker"):
        folder.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "bin/docker").exists():
        (FOLDER / "bin/docker").symlink_to("/usr/bin/docker")
    if not (FOLDER / "forwarding").exists():
        (FOLDER / "forwarding").write_text(FORWARDING.read_text())
    settings = {
        "data-root": str(cache_root() / "docker"),
        "exec-root": str(FOLDER / "exec"),
        "pidfile": str(FOLDER / "docker.pid"),
        "hosts": [f"unix://{FOLDER}/docker.sock"],
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{CONTROL_GROUP}",
    }
    (FOLDER / "daemon.json").write_text(json.dumps(settings, indent=2))
    (FOLDER / "docker.pid").unlink(
        missing_ok=True
    )  # of an engine that was killed: it would keep this one from starting
    path = first_on_path(programs.runc(), SYSTEM_FOLDERS) if programs.lacks_capability() else SYSTEM_FOLDERS
    daemon = replace(_daemon(), env={"PATH": path})
    daemon.start()
    wait_for(
        lambda: _ask().returncode == 0 or not daemon.running(),
        what="the Docker engine",
        deadline=START_SECONDS,
        log=daemon.log,
    )
    if not daemon.running():
        raise daemon.ended()


def _restore_network(bridges: Sequence[str]) -> None:
    """Take back what the engine did to this machine's network: its rules, its own bridge, and forwarding."""
    rules = output(["iptables-save"], env=SYSTEM).splitlines()
    kept = [line for line in rules if not any(name in line for name in ("DOCKER", *bridges))]
    kept = [":FORWARD ACCEPT [0:0]" if line.startswith(":FORWARD DROP") else line for line in kept]
    run(["iptables-restore"], env=SYSTEM, stdin="\n".join([*kept, ""]))
    if Path("/sys/class/net/docker0").exists():
        run(["ip", "link", "delete", "docker0"], env=SYSTEM)
    FORWARDING.write_text((FOLDER / "forwarding").read_text())


def _unmount() -> None:
    """Remove the mounts that an engine leaves: of network namespaces, and of its own folder."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for folder in (FOLDER, cache_root() / "docker"):
        for point in reversed([point for point in mounted if Path(point).is_relative_to(folder)]):
            run(["umount", point])


def _remove_control_groups() -> None:
    for root in Path("/sys/fs/cgroup").rglob(CONTROL_GROUP):
        for folder, _, _ in os.walk(root, topdown=False):
            Path(folder).rmdir()
