"""Brings images into the node's containerd. Packing them is up to `local.oci` and `local.image`."""

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.command import output, run
from local.node.configuration import PAUSE_IMAGE
from local.node.layout import Layout
from local.oci import scratch_image

DNS_IMAGE = "localhost/coredns:1.12.4"
NAME_ANNOTATION = "io.containerd.image.name"


def own(binaries: Path) -> list[Path]:
    """Return the archives of the images that the node itself needs."""
    return [
        scratch_image(PAUSE_IMAGE, {"/pause": binaries / "pause"}, ["/pause"], user="65535:65535"),
        scratch_image(DNS_IMAGE, {"/coredns": binaries / "coredns"}, ["/coredns"], user="65532:65532"),
    ]


def ensure(layout: Layout, archives: Sequence[Path]) -> None:
    """Import the OCI archives whose image, under its name and with its content, is not there yet."""
    ctr = ["ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io", "images"]
    rows = [line.split() for line in output([*ctr, "list"]).splitlines()[1:]]
    present = {(row[0], row[2]) for row in rows}
    for archive in archives:
        if not _contained(archive) <= present:
            run([*ctr, "import", archive])


def _contained(archive: Path) -> set[tuple[str, str]]:
    """Return name and digest of each image in an archive."""
    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        manifests: list[dict[str, Any]] = json.load(index)["manifests"] if index else []
    return {(manifest.get("annotations", {}).get(NAME_ANNOTATION, ""), manifest["digest"]) for manifest in manifests}
