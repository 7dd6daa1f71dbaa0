"""The clone's own Python environment, `.venv`, which Pulumi.yaml names as well."""

import importlib.util
import os
import re
import sys
from pathlib import Path

from local.cache import key_of, locked
from local.command import output, run, tied
from local.errors import UserError
from local.packages import install
from local.progress import step

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / ".venv"
PYTHON = FOLDER / "bin" / "python"
INSTALLER = "requirements-install.txt"
NEEDED = (3, 11)


def provide(requirements: str) -> None:
    """Install a requirements file into `.venv`, unless just that content is installed already.

    Raises:
        UserError: Python is too old, or the package registry does not answer.

    """
    if sys.version_info < NEEDED:
        found, wanted = (".".join(map(str, version[:2])) for version in (sys.version_info, NEEDED))
        raise UserError(f"python3 is {found}, {wanted} or newer is needed")
    pins = [*PROJECT.glob("requirements*.txt"), *PROJECT.glob("policy/requirements.txt")]
    stamp = FOLDER / f".{requirements}-{key_of(*sorted(pins), sys.version)}"
    if stamp.exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        install(["python3-venv"])
    # uv holds `.venv/.lock` itself.
    with locked(FOLDER / ".provided.lock", "python: waiting for another installation into .venv to end …"):
        if stamp.exists():
            return
        with step(f"python: installing {requirements} into .venv"):
            if not PYTHON.with_name("pip").exists():  # it comes last: without it there is half an environment at most
                run(tied([sys.executable, "-m", "venv", FOLDER]))
            run(tied([PYTHON, "-m", "pip", "install", "--quiet", "--requirement", PROJECT / INSTALLER]))
            uv = [PYTHON.with_name("uv"), "pip", "install", "--quiet", "--python", PYTHON]
            run(tied([*uv, "--requirement", PROJECT / requirements]), env=_index())
        stamp.touch()


def _index() -> dict[str, str]:
    """Tell uv where pip looks for packages, if that is a place of the person's own: uv does not read pip's settings."""
    told = re.findall(r"\.index-url='(.+)'$", output([PYTHON, "-m", "pip", "config", "list"]), re.MULTILINE)
    return {"UV_DEFAULT_INDEX": os.environ.get("UV_DEFAULT_INDEX") or told[0]} if told else {}
