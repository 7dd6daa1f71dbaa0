"""metrics-server, on which `kubectl top` and HorizontalPodAutoscalers rest: its build, its command line, its objects.

It runs beside the node's other programs instead of in a pod, so that no pod has to be scheduled before it answers. The
API server finds it as it finds one in a pod: an APIService names a Service, whose one endpoint is the node here.
"""

import base64
from pathlib import Path
from string import Template

from local.cache import cached, key_of
from local.engine.go import go_build, go_version
from local.node import certificates
from local.node.layout import METRICS_PORT, METRICS_SERVER, Layout

MODULE = Path(__file__).with_name("metrics-server")
MANIFESTS = Path(__file__).with_name("metrics-server.yaml")
VERSION = "v0.9.0"
NAME = "metrics-server"
API = "/apis/metrics.k8s.io/v1beta1"
NEED_GIB = 4


def build() -> Path:
    """Return the folder with `metrics-server`, building it first where it is missing.

    It is a result of its own: it is built with other versions of Kubernetes' libraries than the node's one binary.

    Raises:
        UserError: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    flags = f"-X k8s.io/client-go/pkg/version.gitVersion={VERSION}"

    def make(out: Path) -> None:
        go_build("node: building metrics-server (about 2 minutes)", MODULE, ["tool"], out, flags)

    return cached(NAME, key_of(MODULE, flags, go_version()), make, need_gib=NEED_GIB)


def argv(layout: Layout) -> list[str]:
    """Return the command line: on the node's address, for those whom the API server vouches for or knows."""
    kubeconfig = f"{layout.config}/{NAME}.kubeconfig"
    return [
        f"{METRICS_SERVER}/{NAME}",
        f"--bind-address={layout.instance.node_address}",
        f"--secure-port={METRICS_PORT}",
        f"--tls-cert-file={layout.pki}/{NAME}.crt",
        f"--tls-private-key-file={layout.pki}/{NAME}.key",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        "--authentication-skip-lookup",  # the next three lines tell what it would look up
        f"--client-ca-file={layout.pki}/{certificates.AUTHORITY}.crt",
        f"--requestheader-client-ca-file={layout.pki}/{certificates.FRONT_PROXY_AUTHORITY}.crt",
        f"--requestheader-allowed-names={certificates.FRONT_PROXY}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--kubelet-certificate-authority={layout.pki}/{certificates.AUTHORITY}.crt",
        "--kubelet-preferred-address-types=InternalIP",
        "--kubelet-request-timeout=5s",
        "--metric-resolution=10s",  # the shortest that it takes: people wait for what it says
        "--profiling=false",
    ]


def manifests(layout: Layout) -> str:
    """Return the objects that the cluster has to hold."""
    authority = (layout.pki / f"{certificates.AUTHORITY}.crt").read_bytes()
    return Template(MANIFESTS.read_text()).substitute(
        node_address=layout.instance.node_address,
        port=METRICS_PORT,
        authority=base64.b64encode(authority).decode(),
    )
