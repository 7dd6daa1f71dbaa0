"""The node's mount namespace: whatever the node mounts or leaves in the system's folders goes with it.

Inside it /run, /var/log and /var/lib are empty temporary file systems, except for the instance's state, so the fixed
paths of containerd, CNI and the kubelet (/run/containerd, /var/lib/cni, /var/log/containers …) never meet those of
another instance or of the host, and a process's end is its mounts' end.
"""

from collections.abc import Mapping
from pathlib import Path

from local.command import inside
from local.instance import Instance
from local.process import Daemon

# Set machine-wide by a kubelet that finds other values (k8s.io/kubernetes/pkg/util/sysctl): it is shown these instead.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
READY = "run/namespace-ready"

_SCRIPT = """
state=$1
shift
mount -t tmpfs -o mode=0755 node /run
mkdir /run/state /run/settings
while [ "$1" != -- ]; do
    mkdir "$2"
    mount --bind "$1" "$2"
    shift 2
done
shift
mount --bind "$state" /run/state
mount -t tmpfs -o mode=0755 node /var/log
mount -t tmpfs -o mode=0755 node /var/lib
mkdir -p "$state"
mount --move /run/state "$state"
for setting in "$@"; do
    file=/run/settings/$(echo "${setting%%=*}" | tr / .)
    echo "${setting#*=}" >"$file"
    mount --bind "$file" "/proc/sys/${setting%%=*}"
done
touch /run/namespace-ready
exec sleep infinity
"""


def holder(instance: Instance, folders: Mapping[Path, Path]) -> Daemon:
    """Return the program that makes the mount namespace and holds it open.

    Args:
        instance: whose.
        folders: what is shown below /run, to where it is; {} only to look at the program or to stop it.

    """
    shown = [word for below_run, folder in folders.items() for word in (folder, below_run)]
    settings = [f"{name}={value}" for name, value in KERNEL_SETTINGS.items()]
    namespace = ["unshare", "--mount", "--propagation", "private"]
    return Daemon(
        name="node-namespace",
        argv=[*namespace, "sh", "-euc", _SCRIPT, "sh", instance.state, *shown, "--", *settings],
        run_dir=instance.run_dir,
        log_dir=instance.log_dir,
        netns=instance.network_namespace,
    )


def ready(holder_pid: int) -> bool:
    """Tell whether the mounts are made."""
    return Path(f"/proc/{holder_pid}/root/{READY}").exists()


def enter(instance: Instance, holder_pid: int, argv: list[str]) -> list[str]:
    """Return `argv` so that it runs in both of the node's namespaces."""
    return inside(instance.network_namespace, [f"--mount=/proc/{holder_pid}/ns/mnt", "--", *argv])
