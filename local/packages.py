"""Programs that come from Debian's packages: what is missing is named, then installed where that is possible."""

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.cache import locked
from local.command import run
from local.errors import UserError
from local.instance import STATE_ROOT
from local.progress import step

NO_SERVICES = {
    "/usr/sbin/policy-rc.d": "#!/bin/sh\n# of mlflow-local, while it installs packages\nexit 101\n",
}
"""Files that keep Debian's packages from starting services of their own (invoke-rc.d(8))."""
WAIT = ("-o", "DPkg::Lock::Timeout=300")  # seconds, for another package manager at work
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _found(command: str) -> bool:
    folders = f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"
    return Path(command).exists() if command.startswith("/") else shutil.which(command, path=folders) is not None


def missing(packages: Mapping[str, str]) -> list[str]:
    """Return the packages of a mapping, as `require` takes it, whose commands or files are not there."""
    return sorted({package for command, package in packages.items() if not _found(command)})


def require(packages: Mapping[str, str]) -> None:
    """Make commands available.

    Args:
        packages: a command's name, or a file's absolute path, to the Debian package that brings it.

    Raises:
        UserError: some are missing and can't be installed from here.

    """
    wanted = missing(packages)
    if wanted:
        install(wanted)
    elif os.geteuid() == 0 and any(_ours(file) for file in NO_SERVICES):
        with _without_services():  # an installation was killed: its files go
            pass


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
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *WAIT, *packages], env=quiet)


@contextmanager
def _without_services() -> Generator[None]:
    """Have no service started by an installation; what the machine has decided about that already, stays."""
    lock = STATE_ROOT / ".packages.lock"
    with locked(lock, "packages: waiting for another installation to end …"):
        mine = [Path(file) for file in NO_SERVICES if _ours(file) or not Path(file).exists()]
        for file in mine:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(NO_SERVICES[str(file)])
            file.chmod(0o755)
        try:
            yield
        finally:
            for file in (*mine, lock):
                file.unlink()


def _ours(file: str) -> bool:
    return Path(file).exists() and Path(file).read_bytes() == NO_SERVICES[file].encode()
