"""What people get today: plain pip installs of MLflow, of the versions that the server image locks.

Made with Debian's Python, of the image's own version. Cached like everything that takes long to build.
"""

import re
from pathlib import Path

from local.cache import cached, key_of
from local.command import run
from local.image import BASE_PACKAGES, SOURCE, mlflow_version
from local.progress import step
from local.virtualenv import PYTHON

DEBIAN_PYTHON = "/usr/bin/python3"


def server() -> Path:
    """Return a virtual environment with MLflow and psycopg2, the driver that most people install.

    Raises:
        UserError: no space, or the package registry does not answer.

    """
    return _environment("psycopg2-binary")


def same_features() -> Path:
    """Return a virtual environment with MLflow and the drivers that the image holds; errors as for `server`."""
    return _environment("psycopg[binary]", "psycopg2-binary", "google-cloud-storage")


def everything() -> Path:
    """Return a virtual environment with MLflow, what its server can use, and both drivers; errors as for `server`."""
    return _environment("psycopg2-binary", "google-cloud-storage", "boto3", extras="[auth,genai,mcp]")


def _environment(*requirements: str, extras: str = "") -> Path:
    """Return a virtual environment with MLflow and `requirements`, each of the lock's version where it has one."""
    wanted = [f"mlflow{extras}=={mlflow_version()}", *requirements]
    key = key_of(*wanted, _lock(), *BASE_PACKAGES)
    return cached("bench-plain", key, lambda folder: _install(folder, wanted), need_gib=2)


def _lock() -> str:
    """Return the lock as pip's constraints."""
    pins = re.findall(r"^([\w.-]+==\S+)", (SOURCE / "requirements.txt").read_text(), re.MULTILINE)
    return "\n".join(pins) + "\n"


def _install(folder: Path, wanted: list[str]) -> None:
    constraints = folder / "constraints.txt"
    constraints.write_text(_lock())
    with step(f"bench: a plain `pip install {' '.join(wanted)}` (about 2 minutes)"):
        # pip stays outside, as in the image.
        run([DEBIAN_PYTHON, "-m", "venv", "--without-pip", folder])
        pip = [PYTHON, "-m", "pip", "--python", folder / "bin" / "python"]
        run([*pip, "install", "--quiet", "--no-cache-dir", "--constraint", constraints, *wanted])
