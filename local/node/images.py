"""Brings images into the node's containerd. Packing them is up to `local.oci` and `local.image`."""

from collections.abc import Mapping
from pathlib import Path

from local.command import output, run
from local.node.configuration import PAUSE_IMAGE
from local.node.layout import Layout
from local.oci import scratch_image

DNS_IMAGE = "localhost/coredns:1.12.4"


def own(binaries: Path) -> dict[str, Path]:
    """Return the images that the node itself needs: their archives by name."""
    pause = scratch_image(PAUSE_IMAGE, {"/pause": binaries / "pause"}, ["/pause"], user="65535:65535")
    dns = scratch_image(DNS_IMAGE, {"/coredns": binaries / "coredns"}, ["/coredns"], user="65532:65532")
    return {PAUSE_IMAGE: pause, DNS_IMAGE: dns}


def ensure(layout: Layout, images: Mapping[str, Path]) -> None:
    """Import the images that are not there yet; another content goes by another name."""
    ctr = ["ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io", "images"]
    present = set(output([*ctr, "list", "--quiet"]).split())
    for name, archive in images.items():
        if name not in present:
            run([*ctr, "import", archive])
