"""What the node needs of this machine: Linux, root, Debian's container programs, a handful of kernel abilities.

Checks only; the one thing it changes is to install missing packages (`local.packages`) and load kernel modules.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.command import run
from local.errors import UserError
from local.ingress import program as ingress
from local.packages import SYSTEM_FOLDERS, missing, require

PACKAGES = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
}
ELSEWHERE = "follow the `dev` walk-through in README.md instead, which runs on minikube"


def search_path() -> str:
    """Return a PATH that holds the system's folders too: a person's PATH may lack the `sbin` ones."""
    return f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"


def check(beside: Mapping[str, str] | None = None) -> None:
    """Check that a node can run here.

    Args:
        beside: packages that are needed as well, in the form that `local.packages.require` takes.

    Raises:
        UserError: it can not; says why and what to do about it.

    """
    if platform.system() != "Linux":
        raise UserError(f"the local node needs Linux, this is {platform.system()}: {ELSEWHERE}")
    packages = {**PACKAGES, **(beside or {})}
    if os.geteuid() != 0:
        wanted = " ".join(missing({**packages, **ingress.PACKAGES}))
        installs = f", which installs the packages `{wanted}`" if wanted else ""
        raise UserError(
            f"the local node needs root (namespaces, mounts, control groups), this is user id {os.geteuid()}: "
            f"run it as root{installs}, or {ELSEWHERE}"
        )
    require(packages)
    ingress.provide()
    lacking = [ability for ability, there in _abilities().items() if not there]
    if lacking:
        raise UserError(f"this machine's kernel lacks {', '.join(lacking)}: use another machine, or {ELSEWHERE}")


def _abilities() -> dict[str, bool]:
    return {
        "overlayfs": _file_system("overlay"),
        "network namespaces": Path("/proc/self/ns/net").exists(),
        "mount namespaces": Path("/proc/self/ns/mnt").exists(),
        "control groups mounted on /sys/fs/cgroup": any(Path("/sys/fs/cgroup").glob("**/cgroup.procs")),
        "veth links and iptables NAT (nf_tables) in a network namespace": _network(),
    }


def _file_system(name: str) -> bool:
    def known() -> bool:
        return any(line.split()[-1] == name for line in Path("/proc/filesystems").read_text().splitlines())

    if not known() and shutil.which("modprobe", path=search_path()):
        run(["modprobe", name], env={"PATH": search_path()})
    return known()


def _network() -> bool:
    """Try the two things in a network namespace that goes with the process that tries them."""
    link = "ip link add trial0 type veth peer name trial1"
    rule = "iptables -t nat -A POSTROUTING -m comment --comment trial -j MASQUERADE"
    trial = ["unshare", "--net", "sh", "-c", f"{link} && {rule}"]
    return subprocess.run(trial, check=False, capture_output=True, env={"PATH": search_path()}).returncode == 0
