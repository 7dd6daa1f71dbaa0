"""A stand-in of the image python:3.11-slim-bookworm, made of Debian's own packages.

Both hold Debian 12 and a Python 3.11 with `venv`; here Python is Debian's, in /usr/bin rather than /usr/local/bin.
"""

from pathlib import Path

from local import debian
from local.cache import cached, key_of
from local.progress import step

NAME = "python:3.11-slim-bookworm"
_PACKAGES = ("python3", "python3-venv", "libstdc++6", "ca-certificates", "netbase", "tzdata")
"""What the image holds and wheels need."""
_DOCKERFILE = """\
FROM scratch
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
CMD ["python3"]
"""


def key() -> str:
    """Return what the stand-in follows from."""
    return key_of(Path(__file__), Path(debian.__file__))


def context() -> Path:
    """Return a folder whose Dockerfile builds the stand-in, made once and then taken from the cache.

    Raises:
        UserError: mmdebstrap is missing, or no Debian mirror answers.

    """
    return cached("image-base", key(), _make, need_gib=2)


def _make(folder: Path) -> None:
    with step("image: making a Python base image of Debian packages (about 1 minute)"):
        debian.root(folder / "base.tar", _PACKAGES)
    (folder / "Dockerfile").write_text(_DOCKERFILE)
