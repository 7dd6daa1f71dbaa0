"""Builds images/mlflow/Dockerfile by buildah, in a storage of its own that is gone when the build is.

Nothing of the machine's containers, images or settings is read or changed, and nothing is pulled.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from local.cache import cached, key_of
from local.command import run
from local.errors import UserError
from local.image import base, registry
from local.packages import require
from local.progress import step

SOURCE = Path(__file__).parents[2] / "images" / "mlflow"
REPOSITORY = "localhost/mlflow-tracking-server"


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image as an archive.

    Attributes:
        tag: its full name; changes with its content.
        tar: the archive, as `docker load` and `ctr images import` take it.

    """

    tag: str
    tar: Path


def build() -> Image:
    """Return the server's image, built once and then taken from the cache.

    Raises:
        UserError: programs or disk space are missing, or a registry does not answer.

    """
    name = tag()
    folder = cached("image-mlflow", _key(), lambda folder: _make(folder, name), need_gib=5)
    return Image(tag=name, tar=folder / "image.tar")


def tag() -> str:
    """Return the full name of the image that `build` returns."""
    return f"{REPOSITORY}:{mlflow_version()}-{_key()}"


def _key() -> str:
    return key_of(SOURCE, base.key(), Path(__file__))


def mlflow_version() -> str:
    """Return the version of MLflow that the lock pins.

    Raises:
        UserError: it pins none.

    """
    lock = SOURCE / "requirements.txt"
    pin = re.search(r"^mlflow==(\S+)", lock.read_text(), re.MULTILINE)
    if pin is None:
        raise UserError(f"{lock} pins no mlflow: make it anew, see requirements.in beside it")
    return pin[1]


def _make(folder: Path, name: str) -> None:
    context = base.context()
    require({"buildah": "buildah"})
    work = folder / "work"
    work.mkdir()
    try:
        with step("image: building the MLflow server (about 1 minute)"):
            builder = _Builder(work)
            builder.build(context, f"localhost/{base.NAME}", volumes=[])
            builder.build(SOURCE, name, volumes=registry.mounts(work))
            builder.save(name, folder / "image.tar")
    finally:
        shutil.rmtree(work)


class _Builder:
    """buildah with everything that it keeps inside one folder.

    The storage driver `vfs` copies instead of mounting: it works on every file system and leaves no mount behind.
    """

    def __init__(self, work: Path) -> None:
        policy, registries = work / "policy.json", work / "registries.conf"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        registries.touch()
        folders = ["--root", work / "storage", "--runroot", work / "run", "--registries-conf", registries]
        self._buildah = [*base.ALONE, "buildah", "--storage-driver", "vfs", *folders]
        self._policy = ["--quiet", "--signature-policy", policy]

    def build(self, context: Path, tag: str, *, volumes: list[str]) -> None:
        how = ["--pull=never", "--isolation", "chroot", "--network", "host"]
        mounts = [f"--volume={volume}" for volume in volumes]
        run([*self._buildah, "bud", *self._policy, *how, *mounts, "--tag", tag, context])

    def save(self, tag: str, archive: Path) -> None:
        # Docker's format: its layers are not compressed, which shortens the import.
        run([*self._buildah, "push", *self._policy, tag, f"docker-archive:{archive}:{tag}"])
