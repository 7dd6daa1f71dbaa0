"""How large the server image is, over a plain install on a base made of Debian's packages."""

import tarfile
from pathlib import Path

from bench.figures import Figure, at_most
from bench.plain import same_features
from local.image import base_archive
from tests.image.container import Unpacked

MB = 10**6


def measure(image: Unpacked) -> list[Figure]:
    """Return the ratio of the sizes of all files."""
    ours = _files(image.root)
    plain = _base() + _files(same_features())
    measure = "image, uncompressed, over a plain install of MLflow and its two drivers on Debian's Python"
    details = f"{ours / MB:.0f} over {plain / MB:.0f} MB"
    return [Figure(measure=measure, value=ours / plain, reach=at_most(0.7), details=details)]


def _files(folder: Path) -> int:
    """Return the bytes of all files below a folder, each counted once however many names it has."""
    states = (path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum({(state.st_dev, state.st_ino): state.st_size for state in states}.values())


def _base() -> int:
    with tarfile.open(base_archive()) as tar:
        return sum(member.size for member in tar)
