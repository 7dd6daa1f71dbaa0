"""Builds images/mlflow/Dockerfile by buildah, in a storage of its own that is gone when the build is.

Nothing of the machine's containers, images or settings is read or changed, and nothing is pulled.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from local.cache import cached, key_of
from local.command import run
from local.debian import ALONE
from local.errors import UserError
from local.image import base, registry
from local.packages import require
from local.progress import step

SOURCE = Path(__file__).parents[2] / "images" / "mlflow"
LOCK = SOURCE / "requirements.txt"
REPOSITORY = "localhost/mlflow-tracking-server"


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image as an archive.

    Attributes:
        tag: its full name; changes with its content.
        digest: its full name by the digest of its manifest, under which containerd knows it as well after an import.
        tar: the archive, an OCI layout, as `docker load` and `ctr images import` take it.

    """

    tag: str
    digest: str
    tar: Path


def build(lock: Path = LOCK) -> Image:
    """Return the server's image, built once and then taken from the cache.

    Args:
        lock: what to install; another one makes the image of another release of MLflow.

    Raises:
        UserError: programs or disk space are missing, or a registry does not answer.

    """
    name = tag(lock)
    folder = cached("image-mlflow", _key(lock), lambda folder: _make(folder, name, lock), need_gib=5)
    return Image(tag=name, digest=(folder / "digest").read_text(), tar=folder / "image.tar")


def tag(lock: Path = LOCK) -> str:
    """Return the full name of the image that `build` returns."""
    return f"{REPOSITORY}:{mlflow_version(lock)}-{_key(lock)}"


def _key(lock: Path) -> str:
    return key_of(SOURCE, lock, base.key(), Path(__file__))


def mlflow_version(lock: Path = LOCK) -> str:
    """Return the version of MLflow that a lock pins.

    Raises:
        UserError: it pins none.

    """
    pin = re.search(r"^mlflow==(\S+)", lock.read_text(), re.MULTILINE)
    if pin is None:
        raise UserError(f"{lock} pins no mlflow: make it anew, see requirements.in in {SOURCE}")
    return pin[1]


def _make(folder: Path, name: str, lock: Path) -> None:
    context = base.context()
    require({"buildah": "buildah"})
    work = folder / "work"
    work.mkdir()
    try:
        with step(f"image: building the server of MLflow {mlflow_version(lock)} (about 1 minute)"):
            source = shutil.copytree(SOURCE, work / "source", ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(lock, source / LOCK.name)
            builder = _Builder(work)
            builder.build(context, f"localhost/{base.NAME}", volumes=[])
            builder.build(source, name, volumes=registry.mounts(work))
            layout = builder.save(name)
            (folder / "digest").write_text(_name(layout, name))
            run(["tar", "--create", "--file", folder / "image.tar", "--directory", layout, "."])
    finally:
        shutil.rmtree(work)


def _name(layout: Path, name: str) -> str:
    """Name the image of a layout as containerd will, once by its tag and once by its digest; return the latter."""
    index_file = layout / "index.json"
    index = json.loads(index_file.read_text())
    [manifest] = index["manifests"]
    digest = f"{REPOSITORY}@{manifest['digest']}"
    names = [{"io.containerd.image.name": each} for each in (name, digest)]
    index["manifests"] = [{**manifest, "annotations": annotations} for annotations in names]
    index_file.write_text(json.dumps(index))
    return digest


class _Builder:
    """buildah with everything that it keeps inside one folder.

    The storage driver `vfs` copies instead of mounting: it works on every file system and leaves no mount behind.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        policy, registries = work / "policy.json", work / "registries.conf"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        registries.touch()
        folders = ["--root", work / "storage", "--runroot", work / "run", "--registries-conf", registries]
        self._buildah = [*ALONE, "buildah", "--storage-driver", "vfs", *folders]
        self._policy = ["--quiet", "--signature-policy", policy]

    def build(self, context: Path, tag: str, *, volumes: list[str]) -> None:
        how = ["--pull=never", "--isolation", "chroot", "--network", "host"]
        mounts = [f"--volume={volume}" for volume in volumes]
        run([*self._buildah, "bud", *self._policy, *how, *mounts, "--tag", tag, context])

    def save(self, tag: str) -> Path:
        """Write an image as an OCI layout, whose manifest has the digest that it keeps everywhere."""
        layout = self._work / "layout"
        run([*self._buildah, "push", *self._policy, tag, f"oci:{layout}"])
        return layout
