"""Programs that come from Debian's packages: what is missing is named, then installed where that is possible."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.command import run
from local.errors import UserError
from local.progress import step

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _found(command: str) -> bool:
    folders = f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"
    return Path(command).exists() if command.startswith("/") else shutil.which(command, path=folders) is not None


def require(packages: Mapping[str, str]) -> None:
    """Make commands available.

    Args:
        packages: a command's name, or a file's absolute path, to the Debian package that brings it.

    Raises:
        UserError: some are missing and can't be installed from here.

    """
    missing = sorted({package for command, package in packages.items() if not _found(command)})
    if missing:
        install(missing)


def install(packages: Sequence[str]) -> None:
    """Install Debian packages.

    Raises:
        UserError: this is not Debian, or not the root user; the message lists them.

    """
    names = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UserError(f"missing programs: install the packages `{names}` (Debian: `apt-get install {names}`)")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"packages: installing {names}"):
        run(["apt-get", "update", "-qq"], env=quiet)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=quiet)
