"""The scanners themselves, installed or built once a machine."""

import sys
from pathlib import Path

from local.cache import cached, key_of
from local.command import run
from local.engine.go import go_build, go_version
from local.progress import step

_FOLDER = Path(__file__).parent
_REQUIREMENTS = _FOLDER / "checkov" / "requirements.txt"
_MODULE = _FOLDER / "kube-score"


def checkov() -> list[str | Path]:
    """Return the words that start checkov, installed where it is missing.

    Raises:
        UserError: the package registry does not answer, or the disk is full.

    """
    environment = cached("checkov", key_of(_REQUIREMENTS, sys.version), _install)
    # Not by its script: scripts name the folder they were installed into, and that was renamed.
    return [environment / "bin" / "python", "-m", "checkov.main"]


def _install(out: Path) -> None:
    with step("tests: installing checkov"):
        run([sys.executable, "-m", "venv", out])
        run([out / "bin" / "python", "-m", "pip", "install", "--quiet", "--requirement", _REQUIREMENTS])


def kube_score() -> Path:
    """Return the program, built where it is missing.

    Raises:
        UserError: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    return cached("kube-score", key_of(_MODULE, go_version()), _build, need_gib=2) / "kube-score"


def _build(out: Path) -> None:
    go_build("tests: building kube-score (about 1 minute)", _MODULE, ["tool"], out / "kube-score")
