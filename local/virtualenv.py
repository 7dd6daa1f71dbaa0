"""The clone's own Python environment, `.venv`, which Pulumi.yaml names as well."""

import importlib.util
import os
import sys
from pathlib import Path

from local import pip
from local.cache import key_of, locked
from local.command import run, tied
from local.errors import UserError
from local.packages import install
from local.progress import step

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / ".venv"
PYTHON = FOLDER / "bin" / "python"
INSTALLER = "requirements-install.txt"
NEEDED = (3, 11)
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
"""By the name of pip's setting, the variable in which uv looks for the same."""


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
            run(tied([*uv, "--requirement", PROJECT / requirements]), env=_settings_of_pip())
        stamp.touch()


def _settings_of_pip() -> dict[str, str]:
    """Return what uv has to know of pip's settings, which it does not read, in variables that are not set otherwise."""
    told = pip.settings(PYTHON)
    return {name: told[key] for key, name in _VARIABLES.items() if key in told and name not in os.environ}
