"""Programs that come from Debian's packages: what is missing is named, then installed where that is possible."""

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.command import run
from local.errors import UserError
from local.progress import step

NO_SERVICES = {
    "/usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
    "/etc/postgresql-common/createcluster.d/mlflow-local.conf": "create_main_cluster = false\n",
}
"""Files that keep Debian's packages from starting services of their own (invoke-rc.d(8), pg_createcluster(1))."""
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
        with _without_services():
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=quiet)


@contextmanager
def _without_services() -> Generator[None]:
    """Have no service started by an installation; what the machine has decided about that already, stays."""
    mine = [Path(file) for file in NO_SERVICES if not Path(file).exists()]
    for file in mine:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(NO_SERVICES[str(file)])
        file.chmod(0o755)
    try:
        yield
    finally:
        for file in mine:
            file.unlink()
