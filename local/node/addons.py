"""What a cluster has beyond Kubernetes itself: DNS, metrics, a way in by name."""

from collections.abc import Mapping
from pathlib import Path

from local.command import WITHOUT_PROXY, run
from local.ingress import program as ingress
from local.ingress import server
from local.node import metrics_server, sweep
from local.node.layout import Layout
from local.process import Daemon

DNS_MANIFESTS = Path(__file__).with_name("dns.yaml")


def start(layout: Layout, binaries: Path, programs: Mapping[str, Daemon]) -> None:
    """Make the objects, then start the programs that may act because of them."""
    _apply(layout, binaries)
    programs[metrics_server.NAME].start()
    nginx = programs[ingress.NGINX]
    if not nginx.running():
        sweep.end_titled(layout.instance, server.WORKER)  # they outlive a killed nginx, and hold its ports
        nginx.start()


def _apply(layout: Layout, binaries: Path) -> None:
    files = ["-f", DNS_MANIFESTS, "-f", ingress.MANIFESTS, "-f", "-"]
    run(
        [binaries / "bin" / "kubectl", "apply", "--server-side", "--force-conflicts", *files],
        env={**WITHOUT_PROXY, "KUBECONFIG": str(layout.kubeconfig)},
        stdin=metrics_server.manifests(layout),
    )
