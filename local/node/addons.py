"""What the cluster itself holds from the start: its DNS, the way to metrics-server, and the class of Ingresses."""

from pathlib import Path

from local.command import run
from local.ingress import program as ingress
from local.node import metrics_server
from local.node.components import ENVIRONMENT
from local.node.layout import Layout

DNS_MANIFESTS = Path(__file__).with_name("dns.yaml")


def apply(layout: Layout, binaries: Path) -> None:
    """Make the objects, or bring them to what they have to be."""
    files = ["-f", DNS_MANIFESTS, "-f", ingress.MANIFESTS, "-f", "-"]
    run(
        [binaries / "bin" / "kubectl", "apply", "--server-side", "--force-conflicts", *files],
        env={**ENVIRONMENT, "KUBECONFIG": str(layout.kubeconfig)},
        stdin=metrics_server.manifests(layout),
    )
