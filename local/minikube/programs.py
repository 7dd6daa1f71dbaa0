"""What is built where it is missing: minikube, kubectl, and what the images of a cluster hold.

Owns which programs there are and how they are linked. Leaves Go itself to `local.engine.go`.
"""

from collections.abc import Sequence
from pathlib import Path

from local.cache import cached, key_of
from local.command import output
from local.engine.go import go_build, go_environment, go_version

MODULES = Path(__file__).with_name("modules")
MINIKUBE_VERSION = "v1.38.1"
KUBERNETES_VERSION = "v1.34.4"
METRICS_SERVER_VERSION = "v0.9.0"
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubeadm",
    "kubectl",
)
"""The names by which the one binary of Kubernetes is called."""
NEED_GIB = 8  # Go's caches grow by this much in a build from nothing
_SYS_RESOURCE = 24  # the number of the capability (linux/capability.h)


def minikube() -> Path:
    """Return the folder with `minikube`, and `storage-provisioner` in it.

    Raises:
        UserError: here and below: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    package = "k8s.io/minikube/pkg/version"
    values = {"version": MINIKUBE_VERSION, "isoVersion": "v1.38.0", "storageProvisionerVersion": "v5"}
    flags = " ".join(f"-X {package}.{name}={value}" for name, value in values.items())
    return _program("minikube", "about 3 minutes", flags, packages=[".", "./storage-provisioner"])


def kubernetes() -> Path:
    """Return the folder with `kubernetes`, which is every one of COMPONENTS, with `pause`, and with `bin/kubectl`."""
    # As upstream's own build names the version; without it the components call themselves v0.0.0.
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    values = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    flags = " ".join(f"-X {package}.{name}={value}" for package in packages for name, value in values.items())
    module = MODULES / "kubernetes"

    def make(out: Path) -> None:
        go_build("minikube: building Kubernetes (about 5 minutes)", module, [".", "./pause"], out, flags)
        (out / "bin").mkdir()
        (out / "bin/kubectl").symlink_to("../kubernetes")

    return cached("kubernetes", key_of(module, flags, go_version()), make, need_gib=NEED_GIB)


def kubectl() -> Path:
    """Return the folder with `kubectl` and nothing else."""
    return kubernetes() / "bin"


def coredns() -> Path:
    """Return the folder with `coredns`."""
    return _program("coredns", "about 1 minute")


def metrics_server() -> Path:
    """Return the folder with `metrics-server`, which is built with other versions of Kubernetes' libraries."""
    flags = f"-X k8s.io/client-go/pkg/version.gitVersion={METRICS_SERVER_VERSION}"
    return _program("metrics-server", "about 2 minutes", flags, packages=["tool"])


def kicbase() -> Path:
    """Return the folder of minikube's own files for a node's image."""
    module = ["go", "mod", "download", "-json", "k8s.io/minikube"]
    output(module, cwd=MODULES / "minikube", env=go_environment())
    folder = ["go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/minikube"]
    return Path(output(folder, cwd=MODULES / "minikube", env=go_environment()).strip()) / "deploy" / "kicbase"


def crictl() -> Path:
    """Return the folder with `crictl`, by which minikube asks a node's container runtime."""
    return _program("crictl", "about 1 minute", packages=["tool"])


def runc() -> Path:
    """Return the folder with `runc` for machines whose root `lacks_capability`."""
    return _program("runc", "a moment")


def lacks_capability() -> bool:
    """Tell whether nobody here, root included, may have CAP_SYS_RESOURCE, without which Debian's runc starts no pod."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [bounds] = [line.split()[1] for line in lines if line.startswith("CapBnd:")]
    return not int(bounds, 16) >> _SYS_RESOURCE & 1


def _program(name: str, duration: str, flags: str = "", packages: Sequence[str] = (".",)) -> Path:
    module = MODULES / name

    def make(out: Path) -> None:
        go_build(f"minikube: building {name} ({duration})", module, packages, out, flags)

    return cached(name, key_of(module, flags, go_version()), make, need_gib=NEED_GIB)
