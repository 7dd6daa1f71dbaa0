"""The Docker engine: the one that answers already, or one of our own where none does.

An engine of our own is started on a Debian machine by root. All instances share it; it ends with the last of them. Its
images are kept with everything else that is built; what it changed of this machine's network goes when it goes.
"""

import json
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from local.cache import cache_root, locked
from local.command import output, run
from local.engine.environment import first_on_path
from local.errors import UserError
from local.instance import STATE_ROOT
from local.minikube import programs
from local.packages import SYSTEM_FOLDERS, missing, require
from local.process import Daemon, start_time, wait_for
from local.progress import step

PACKAGES = {"dockerd": "docker.io", "iptables-save": "iptables", "ip": "iproute2"}
FOLDER = STATE_ROOT / ".docker"
"""Of our own engine; it is there from the engine's first start until its end for good."""
LOCK = STATE_ROOT / ".docker.lock"
CONTROL_GROUP = "mlflow-local"
START_SECONDS = 60
STOP_SECONDS = 60
OURS = "ours"
SYSTEM = {"PATH": SYSTEM_FOLDERS}
_CHAINS = (" DOCKER ", " DOCKER-")
_CHAINS_SAVED = (":DOCKER ", ":DOCKER-")
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


def up(user: str) -> None:
    """Make an engine answer; one of our own does not end before its user, an instance, lets go of it.

    Raises:
        UserError: none answers, and none can be started from here; says what helps.

    """
    _check_engine(user)
    if not FOLDER.exists() and _ask().returncode == 0:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UserError(_remedy())
    _provide()
    with _alone():
        (FOLDER / "users").mkdir(parents=True, exist_ok=True)
        (FOLDER / "users" / user).touch()
        _start()


def note(user: str) -> None:
    """Note on which engine an instance has its node from now on."""
    _note(user).write_text(_engine())


def _note(user: str) -> Path:
    return STATE_ROOT / user / "engine"


def _engine() -> str:
    """Return which engine answers: ours, or the id of another one, or nothing."""
    if FOLDER.exists():
        return OURS
    asked = ["docker", "info", "--format={{.ID}}"]
    return output(asked).strip() if _ask().returncode == 0 else ""


def _check_engine(user: str) -> None:
    """Check that no other engine answers than the one that has the node of an instance, if that is not ours."""
    if not _note(user).exists() or (noted := _note(user).read_text()) in (OURS, _engine()):
        return
    raise UserError(
        f"the instance {user!r} has its node on the Docker engine {noted}, and "
        + ("another one answers" if _engine() else "none answers")
        + ": start that one (`sudo systemctl start docker`), or name it by DOCKER_HOST or `docker context use`"
    )


@contextmanager
def engine() -> Generator[None]:
    """Have an engine answer inside, whether or not an instance uses one; errors as for `up`."""
    user = f".{os.getpid()}.{token_hex(4)}"  # no instance has such a name
    up(user)
    try:
        yield
    finally:
        down(user)


def down(user: str) -> None:
    """Let go of our own engine: it stops with its last user, and goes for good where it holds no container."""
    if not FOLDER.exists():
        return
    with _alone():
        _start()  # one that was killed ends and removes what it left
        (FOLDER / "users" / user).unlink(missing_ok=True)
        if any(_exists(other.name) for other in (FOLDER / "users").iterdir()):
            return
        holds_containers = bool(_docker("ps", "--all", "--quiet"))
        bridges = [f"br-{network[:12]}" for network in _docker("network", "ls", "--quiet").split()]
        _daemon().stop(STOP_SECONDS)
        _restore_network([*bridges, "docker0"])
        _remove_control_groups()
        _unmount()
        if not holds_containers:
            shutil.rmtree(FOLDER)
            LOCK.unlink()


def _exists(user: str) -> bool:
    """Tell whether a user is still there: an instance, or a process that builds."""
    return Path("/proc", user.split(".")[1]).exists() if user.startswith(".") else (STATE_ROOT / user).exists()


def _provide() -> None:
    """Install Docker where it is missing; Debian's own service of it is neither started now nor with the machine."""
    ours = bool(missing(PACKAGES))
    require(PACKAGES)
    if ours and shutil.which("systemctl", path=SYSTEM_FOLDERS):
        run(["systemctl", "disable", "--quiet", "docker.service", "docker.socket"], env=SYSTEM)


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


def data_root() -> Path:
    """Return where our own engine keeps images and containers: where it did when it was started first."""
    settings = FOLDER / "daemon.json"
    return Path(json.loads(settings.read_text())["data-root"]) if settings.exists() else cache_root() / "docker"


def _daemon() -> Daemon:
    program = shutil.which("dockerd", path=SYSTEM_FOLDERS) or "dockerd"
    command = [program, "--config-file", FOLDER / "daemon.json"]
    return Daemon(name="docker", argv=command, run_dir=FOLDER / "run", log_dir=FOLDER)


def _start() -> None:
    """Start our own engine unless it runs, and wait until it answers."""
    if not _daemon().running():
        with step("docker: starting an engine of our own"):
            _launch()
    daemon = _daemon()
    wait_for(
        lambda: _ask().returncode == 0 or not daemon.running(),
        what="the Docker engine",
        deadline=START_SECONDS,
        log=daemon.log,
    )
    if not daemon.running():
        raise daemon.ended()


def _launch() -> None:
    data = data_root()
    for folder in (FOLDER / "config", FOLDER / "bin", data):
        folder.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "bin/docker").exists():
        (FOLDER / "bin/docker").symlink_to("/usr/bin/docker")
    if not (FOLDER / "before").exists():
        policy = next(line.split()[1] for line in _rules("filter") if line.startswith(":FORWARD "))
        (FOLDER / "before").write_text(f"{policy} {FORWARDING.read_text()}")
    settings = {
        "data-root": str(data),
        "exec-root": str(FOLDER / "exec"),
        "pidfile": str(FOLDER / "docker.pid"),
        "hosts": [f"unix://{FOLDER}/docker.sock"],
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "cgroup-parent": f"/{CONTROL_GROUP}",
    }
    (FOLDER / "daemon.json").write_text(json.dumps(settings, indent=2))
    _forget_killed()
    path = first_on_path(programs.runc(), SYSTEM_FOLDERS) if programs.lacks_capability() else SYSTEM_FOLDERS
    replace(_daemon(), env={"PATH": path}).start()


def _forget_killed() -> None:
    """Remove the process id files of a killed engine; where its processes stay as zombies, it would wait for them."""
    for note in (FOLDER / "docker.pid", FOLDER / "exec/containerd/containerd.pid"):
        if note.exists() and start_time(int(note.read_text())) is None:
            note.unlink()


def _rules(table: str) -> list[str]:
    return output(["iptables-save", "--table", table], env=SYSTEM).splitlines()


def _restore_network(bridges: Sequence[str]) -> None:
    """Take back what the engine did to this machine's network: its rules and chains, its own bridge, forwarding."""
    policy, forwarding = (FOLDER / "before").read_text().split()
    for table in ("filter", "nat"):
        iptables = ["iptables", "--wait", "--table", table]
        lines = _rules(table)
        for rule in (line for line in lines if line.startswith("-A ")):
            if any(name in f"{rule} " for name in (*_CHAINS, *bridges)):
                run([*iptables, "--delete", *shlex.split(rule)[1:]], env=SYSTEM)
        for chain in (line[1:].split()[0] for line in lines if line.startswith(_CHAINS_SAVED)):
            run([*iptables, "--delete-chain", chain], env=SYSTEM)
    run(["iptables", "--wait", "--policy", "FORWARD", policy], env=SYSTEM)
    if Path("/sys/class/net/docker0").exists():
        run(["ip", "link", "delete", "docker0"], env=SYSTEM)
    FORWARDING.write_text(forwarding)
    (FOLDER / "before").unlink()


def _unmount() -> None:
    """Remove the mounts that an engine leaves: network namespaces, its data on itself (proc_pid_mountinfo(5))."""
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        root, point = line.split()[3:5]
        on_itself = point == str(data_root()) and root != "/"  # a person's disk may be mounted there, too
        if Path(point).is_relative_to(FOLDER) or on_itself:
            run(["umount", point])


def _remove_control_groups() -> None:
    roots = Path("/sys/fs/cgroup")
    for root in (*roots.glob(CONTROL_GROUP), *roots.glob(f"*/{CONTROL_GROUP}")):
        for folder, _, _ in os.walk(root, topdown=False):
            Path(folder).rmdir()
