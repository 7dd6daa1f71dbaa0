"""What minikube pulls, built where no image registry answers: a node's image, and the preload that a node starts with.

A preload is minikube's own means against waiting: an archive of everything below /var that a new node would fetch, the
images of the control plane and the programs that kubeadm wants. Owns what is in both; leaves the programs to
`local.minikube.programs`, and the file systems below them to `local.debian`.
"""

import os
import platform
import shutil
from pathlib import Path

from local import debian
from local.cache import cached, key_of
from local.command import output, run
from local.minikube import docker, programs, registries
from local.minikube.programs import COMPONENTS, KUBERNETES_VERSION, METRICS_SERVER_VERSION
from local.progress import step

NODE = Path(__file__).with_name("node")
PRELOADED = Path(__file__).with_name("preload")
_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
PRELOAD = f"preloaded-images-k8s-v18-{KUBERNETES_VERSION}-containerd-overlay2-{_ARCHITECTURE}.tar.lz4"
"""The name by which minikube 1.38 looks for it (pkg/minikube/download/preload.go)."""
METRICS_SERVER = f"metrics-server:{METRICS_SERVER_VERSION}"
REGISTRY = "localhost"
_NODE_PACKAGES = (
    # what minikube's own node image is made of (deploy/kicbase/Dockerfile of its module)
    *("systemd", "dbus", "conntrack", "iptables", "iproute2", "ethtool", "socat", "util-linux", "mount", "ebtables"),
    *("udev", "kmod", "libseccomp2", "pigz", "procps", "ca-certificates", "curl", "rsync", "jq", "passwd"),
    *("iputils-ping", "netcat-openbsd", "lz4", "sudo", "openssh-server"),
    *("containerd", "runc", "containernetworking-plugins"),
)
_IMAGES = {
    # What `kubeadm config images list` names; the name of the command chooses the program.
    "kubernetes": (
        *(f"registry.k8s.io/kube-{name}:{KUBERNETES_VERSION}" for name in ("apiserver", "controller-manager")),
        *(f"registry.k8s.io/kube-{name}:{KUBERNETES_VERSION}" for name in ("scheduler", "proxy")),
        "registry.k8s.io/etcd:3.6.5-0",
    ),
    "coredns": ("registry.k8s.io/coredns/coredns:v1.12.1",),
    "pause": ("registry.k8s.io/pause:3.10.1",),
    "storage-provisioner": ("gcr.io/k8s-minikube/storage-provisioner:v5",),
    "metrics-server": (f"{REGISTRY}/{METRICS_SERVER}",),
}
"""The images of a preload: targets of its Dockerfile, and the names that nodes know them by."""


def node() -> str:
    """Return the name of the node's image, which the engine holds then."""
    key = _key(NODE)
    name = f"localhost/mlflow-local-node:{key}"
    if not output(["docker", "images", "--quiet", name], env=docker.environment()):
        context = cached("minikube-node", key, _node_context, need_gib=2)
        with step("minikube: building the node's image"):
            run(["docker", "build", "--quiet", "--tag", name, context], env=docker.environment())
    return name


def metrics_server_options() -> list[str]:
    """Return how minikube's addon is told of the metrics-server that is built here."""
    if registries.answer():
        return []
    return [f"--images=MetricsServer={METRICS_SERVER}", f"--registries=MetricsServer={REGISTRY}"]


def preload() -> Path:
    """Return the folder with the preload, made once and then taken from the cache."""
    return cached("minikube-preload", _key(PRELOADED), _make_preload, need_gib=3)


def _key(sources: Path) -> str:
    """Return what an image follows from; Go's version does not count, so that a machine without Go finds the image."""
    code = map(Path, (__file__, debian.__file__, programs.__file__))
    return key_of(sources, NODE, *code, programs.MODULES, str(programs.lacks_capability()))


def _node_context(out: Path) -> None:
    os.link(_node_root() / "root.tar", out / "root.tar")
    for file in ("Dockerfile", "entry"):
        shutil.copy(NODE / file, out)
    shutil.copytree(programs.kicbase(), out / "kicbase", copy_function=shutil.copy)
    (out / "bin").mkdir()
    tools = [programs.crictl() / "crictl", *([programs.runc() / "runc"] if programs.lacks_capability() else [])]
    for tool in tools:
        shutil.copy(tool, out / "bin")
    for file in (out / "kicbase").rglob("*"):
        file.chmod(0o755)  # Go's module cache takes away the right to write and to execute


def _node_root() -> Path:
    def make(out: Path) -> None:
        with step("minikube: making a node's file system of Debian packages (about 1 minute)"):
            debian.root(out / "root.tar", _NODE_PACKAGES)

    return cached("minikube-root", key_of(Path(debian.__file__), *_NODE_PACKAGES), make)


def _make_preload(out: Path) -> None:
    work = out / "work"
    work.mkdir()
    for name, program in _static().items():
        os.link(program, work / name)
    (work / "links").mkdir()
    for name in COMPONENTS:
        (work / "links" / name).symlink_to("kubernetes")
    shutil.copy(PRELOADED / "Dockerfile", work)
    with step("minikube: making the control plane's images (about 1 minute)"):
        debian.root(work / "root.tar", ["iptables", "conntrack", "kmod"])
        for target in _IMAGES:
            run(
                ["docker", "build", "--quiet", "--target", target, "--tag", _tag(target), work],
                env=docker.environment(),
            )
        tags = [_tag(target) for target in _IMAGES]
        run(["docker", "save", "--output", work / "images.tar", *tags], env=docker.environment())
        run(["docker", "rmi", *tags], env=docker.environment())
    with step("minikube: packing them for nodes"):
        pack = ["docker", "run", "--rm", "--privileged", "--network", "none", "--entrypoint", "bash"]
        mounts = ["--volume", f"{out}:/out", "--volume", "/var/lib/containerd"]
        script = (PRELOADED / "pack").read_text()
        names = [f"{_tag(target)}={name}" for target, known in _IMAGES.items() for name in known]
        run(
            [*pack, *mounts, node(), "-c", script, "pack", KUBERNETES_VERSION, PRELOAD, *names],
            env=docker.environment(),
        )
    shutil.rmtree(work)


def _tag(target: str) -> str:
    return f"localhost/mlflow-local-{target}:preload"


def _static() -> dict[str, Path]:
    return {
        "kubernetes": programs.kubernetes() / "kubernetes",
        "pause": programs.kubernetes() / "pause",
        "coredns": programs.coredns() / "coredns",
        "storage-provisioner": programs.minikube() / "storage-provisioner",
        "metrics-server": programs.metrics_server() / "metrics-server",
    }
