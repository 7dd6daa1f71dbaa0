"""The programs of the stand-in: nginx, and the controller that configures it. Standard library only."""

import shutil
from pathlib import Path

from local.command import run
from local.ingress import configuration, server
from local.packages import SYSTEM_FOLDERS, require
from local.virtualenv import PYTHON

NGINX, CONTROLLER = "nginx", "ingress"
PID_FILE = "nginx.pid"
FOLDER = Path(__file__).parent
MANIFESTS = FOLDER / "manifests.yaml"
PACKAGES = {"nginx": "nginx"}


def provide() -> None:
    """Install nginx where it is missing; Debian's own service of it is neither started now nor with the machine.

    Raises:
        UserError: it is missing and can't be installed from here.

    """
    if shutil.which("nginx", path=SYSTEM_FOLDERS) is None:
        require(PACKAGES)
        run(["update-rc.d", "nginx", "disable"], env={"PATH": SYSTEM_FOLDERS})


def prepare(folder: Path, address: str) -> None:
    """Write files by which nginx starts and serves nothing yet, unless it has some from before."""
    if not (folder / "current").exists():
        empty = configuration.files([], address, folder / PID_FILE)
        server.activate(folder, server.put(folder, empty))


def nginx(folder: Path) -> list[str]:
    """Return nginx's command line."""
    return ["nginx", "-e", "stderr", "-c", f"{folder}/current/{configuration.MAIN}"]


def controller(folder: Path, **options: str | Path) -> list[str]:
    """Return the controller's command line; the options are those of `local.ingress.__main__`."""
    given = {"folder": folder, **options}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    return [str(PYTHON), "-m", "local.ingress", *words]
