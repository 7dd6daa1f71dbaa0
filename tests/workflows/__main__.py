"""Checks the workflows, offline: `python -m tests.workflows`, a part of `make lint`.

actionlint knows GitHub's syntax and contexts and gives the scripts in `run:` to shellcheck; zizmor looks for what lets
strangers in.
"""

import os
import subprocess
import sys
from pathlib import Path

from local.cache import cached, key_of
from local.engine.environment import first_on_path
from local.engine.go import go_build, go_version
from local.errors import UserError
from local.progress import say

PROJECT = Path(__file__).parent.parent.parent
PROGRAMS = Path(sys.executable).parent
MODULE = Path(__file__).parent / "actionlint"
EXCEPTIONS = Path(__file__).parent / "zizmor.yml"


def actionlint() -> Path:
    """Return the program, built where it is missing.

    Raises:
        UserError: Go is missing or too old, the disk is full, or a module did not arrive.

    """
    key = key_of(MODULE, go_version())
    return cached("actionlint", key, _build, need_gib=1) / "actionlint"


def _build(out: Path) -> None:
    go_build("lint: building actionlint (half a minute)", MODULE, ["tool"], out / "actionlint")


def findings(project: Path) -> str:
    """Return what both programs find in the workflows of a project, empty where that is nothing.

    Raises:
        UserError: actionlint could not be built.

    """
    workflows = sorted((project / ".github" / "workflows").glob("*.yml"))
    # Offline it cannot ask GitHub whether a digest is the tag's: people do, when they change one.
    strict = ("--offline", "--persona", "pedantic", "--quiet", "--config", EXCEPTIONS)
    found = [
        _said(project, actionlint(), "-no-color", *workflows),
        _said(project, PROGRAMS / "zizmor", *strict, project / ".github"),
    ]
    return "".join(found)


def _said(project: Path, *command: str | Path) -> str:
    """Return what a command that failed has printed; actionlint finds shellcheck beside Python."""
    path = first_on_path(PROGRAMS, os.environ.get("PATH", ""))
    env = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=project, env=env)
    return done.stdout + done.stderr if done.returncode else ""


def main() -> int:
    """Check this project; return the exit status."""
    try:
        found = findings(PROJECT)
    except UserError as error:
        found = f"error: {error}"
    if found:
        say(found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
