"""Packs a few files as a container image, in pure Python.

Owns the OCI image layout (https://github.com/opencontainers/image-spec) for images of one layer FROM scratch.
Leaves images that need a build, as the MLflow server's does, to `local.image`, and the import into a container
runtime to the node.
"""

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from local.cache import cached, key_of

_MEDIA = "application/vnd.oci.image."
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def scratch_image(tag: str, files: Mapping[str, Path], entrypoint: Sequence[str], user: str = "0:0") -> Path:
    """Return an archive of an image that holds just `files`, packed once and then taken from the cache.

    `tag` is the full name, e.g. "localhost/pause:1"; `files` maps absolute paths in the image to files here
    (static programs: there is no libc in the image); `entrypoint` is the command; `user` is "uid:gid".
    """
    settings = json.dumps([tag, sorted(files), list(entrypoint), user])
    key = key_of(Path(__file__), settings, *(files[name] for name in sorted(files)))
    name = "image-" + PurePosixPath(tag).name.partition(":")[0]
    config = {"Entrypoint": list(entrypoint), "User": user, "WorkingDir": "/"}
    return cached(name, key, lambda folder: write_image(folder / "image.tar", tag, files, config)) / "image.tar"


def write_image(archive: Path, tag: str, files: Mapping[str, Path], config: Mapping[str, Any]) -> None:
    """Write to `archive` an OCI layout with one image of one layer; the same input gives the same bytes.

    `config` is the `config` object of the image specification ("Entrypoint", "User", …).
    """
    blobs: dict[str, bytes] = {}

    def put(content: bytes, media_type: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": _MEDIA + media_type, "digest": f"sha256:{digest}", "size": len(content)}

    layer = put(_layer(files), "layer.v1.tar")
    image = put(_json(_image(layer["digest"], config)), "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": _MEDIA + "manifest.v1+json", "config": image, "layers": [layer]}
    entry = put(_json(manifest), "manifest.v1+json")
    entry["annotations"] = {
        "io.containerd.image.name": tag,  # what containerd calls the image after an import
        "org.opencontainers.image.ref.name": tag.rpartition(":")[2],
    }
    content = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "manifests": [entry]}),
        **blobs,
    }
    with tarfile.open(archive, "w") as tar:
        for name, data in content.items():
            _add(tar, name, data, mode=0o644)


def _image(layer_digest: str, config: Mapping[str, Any]) -> dict[str, Any]:
    machine = platform.machine()
    return {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [{"created_by": "local.oci"}],
    }


def _layer(files: Mapping[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted({parent for name in files for parent in PurePosixPath(name).parents[:-1]}):
            entry = tarfile.TarInfo(str(folder).lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, source in sorted(files.items()):
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
            _add(tar, name.lstrip("/"), source.read_bytes(), mode=mode)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode  # a TarInfo starts with time 0 and owner 0: nothing of this machine
    tar.addfile(entry, io.BytesIO(content))


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
