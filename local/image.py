"""Builds images/mlflow/Dockerfile by Docker, and keeps the image as an archive.

Where no image registry answers, Debian's own packages stand in for the base image: both hold Debian 12 and a Python
3.11 with `venv`; there Python is Debian's, in /usr/bin rather than /usr/local/bin.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from local import debian, pip
from local.cache import cached, key_of
from local.command import output, run
from local.errors import UserError
from local.minikube import docker, registries
from local.progress import step
from local.virtualenv import PYTHON

SOURCE = Path(__file__).parents[1] / "images" / "mlflow"
LOCK = SOURCE / "requirements.txt"
REPOSITORY = "localhost/mlflow-tracking-server"
BASE = "python:3.11-slim-bookworm"
BASE_PACKAGES = ("python3", "python3-venv", "libstdc++6", "ca-certificates", "netbase", "tzdata")
"""What the base image holds and wheels need."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""Arguments that Docker knows in every build and keeps out of what it makes; it takes them from the environment."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image as an archive.

    Attributes:
        tag: its full name; changes with its content.
        tar: the archive, as `docker load` and `minikube image load` take it.

    """

    tag: str
    tar: Path


def build(lock: Path = LOCK) -> Image:
    """Return the server's image, built once and then taken from the cache.

    Args:
        lock: what to install; another one makes the image of another release of MLflow.

    Raises:
        UserError: no Docker engine answers, disk space is missing, or a registry does not answer.

    """
    name = tag(lock)
    folder = cached("image-mlflow", _key(lock), lambda folder: _make(folder, name, lock), need_gib=5)
    return Image(tag=name, tar=folder / "image.tar")


def tag(lock: Path = LOCK) -> str:
    """Return the full name of the image that `build` returns."""
    return f"{REPOSITORY}:{mlflow_version(lock)}-{_key(lock)}"


def base_archive() -> Path:
    """Return the file system of the stand-in of the base image, made once and then taken from the cache.

    Raises:
        UserError: mmdebstrap is missing, or no Debian mirror answers.

    """

    def make(folder: Path) -> None:
        with step("image: making a Python base image of Debian packages (about 1 minute)"):
            debian.root(folder / "base.tar", BASE_PACKAGES)

    return cached("image-base", _base_key(), make, need_gib=2) / "base.tar"


def mlflow_version(lock: Path = LOCK) -> str:
    """Return the version of MLflow that a lock pins.

    Raises:
        UserError: it pins none.

    """
    pin = re.search(r"^mlflow==(\S+)", lock.read_text(), re.MULTILINE)
    if pin is None:
        raise UserError(f"{lock} pins no mlflow: make it anew, see requirements.in in {SOURCE}")
    return pin[1]


def _key(lock: Path) -> str:
    return key_of(SOURCE, lock, _base_key(), Path(__file__))


def _base_key() -> str:
    return key_of(Path(debian.__file__), *BASE_PACKAGES)


def _make(folder: Path, name: str, lock: Path) -> None:
    with docker.engine():
        start = BASE if registries.answer() else base()
        with step(f"image: building the server of MLflow {mlflow_version(lock)} (about 1 minute)"):
            source = shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(lock, source / LOCK.name)
            arguments = [f"BASE={start}", *(proxy for proxy in PROXIES if proxy in os.environ)]
            words = [word for argument in arguments for word in ("--build-arg", argument)]
            secrets = pip.secrets(PYTHON, folder)
            try:
                _docker("build", "--quiet", "--network=host", *words, *secrets, "--tag", name, str(source))
                _docker("save", "--output", str(folder / "image.tar"), name)
            finally:
                _docker("image", "rm", "--force", name)
    (folder / "image.tar").chmod(0o644)  # by itself it is the builder's alone
    shutil.rmtree(source)
    for file in pip.FILES:
        (folder / file).unlink(missing_ok=True)


def base() -> str:
    """Return the name of the stand-in of the base image, which the engine holds then."""
    name = f"localhost/mlflow-local-base:{_base_key()}"
    if not output(["docker", "images", "--quiet", name], env=docker.environment()):
        archive = base_archive()
        environment = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
        changes = [f"--change=ENV {variable}" for variable in environment]
        _docker("import", *changes, str(archive), name)
    return name


def _docker(*words: str) -> None:
    run(["docker", *words], env={**docker.environment(), "DOCKER_BUILDKIT": "1"})
