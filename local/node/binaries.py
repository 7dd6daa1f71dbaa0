"""Builds the node's programs from Go modules: Kubernetes with etcd and kubectl, the CNI plugins, CoreDNS, pause.

Owns which programs there are and how they are linked. Leaves Go itself to `local.engine.go` and containerd, runc and
iptables to Debian's packages.
"""

from pathlib import Path

from local.cache import cached, key_of
from local.engine.go import go_build, go_version

FOLDER = Path(__file__).parent
KUBERNETES_VERSION = "v1.34.4"
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubeadm",
)
NEED_GIB = 8  # Go's caches grow by this much in a build from nothing


def build() -> Path:
    """Return the folder with the node's programs, building it first where it is missing.

    It holds the components (links to one binary), `coredns`, `pause`, the CNI plugins in `cni`, and in `bin` what
    people use: `kubectl`.

    Raises:
        UserError: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    key = key_of(FOLDER / "kubernetes", FOLDER / "coredns", _version_flags(), Path(__file__), go_version())
    return cached("node", key, _build, need_gib=NEED_GIB)


def _build(out: Path) -> None:
    kubernetes = FOLDER / "kubernetes"
    plugins = out / "cni"
    plugins.mkdir()
    title = "node: building Kubernetes (1/4, about 5 minutes)"
    go_build(title, kubernetes, ["."], out / "kubernetes", _version_flags())
    go_build("node: building the CNI plugins (2/4)", kubernetes, ["tool"], plugins)
    go_build("node: building pause (3/4)", kubernetes, ["./pause"], out / "pause")
    go_build("node: building CoreDNS (4/4, about 1 minute)", FOLDER / "coredns", ["."], out / "coredns")
    for component in COMPONENTS:
        (out / component).symlink_to("kubernetes")
    (out / "bin").mkdir()
    (out / "bin" / "kubectl").symlink_to("../kubernetes")


def _version_flags() -> str:
    """Name the version as upstream's own build does; without it the components call themselves v0.0.0."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    return " ".join(
        f"-X {package}.gitVersion={KUBERNETES_VERSION} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    )
