"""Runs `pulumi` and `kubectl`; a failure becomes an error that names the command and repeats its last words."""

import shlex
import subprocess
from pathlib import Path

from operations.errors import UserError

PROJECT = Path(__file__).parent.parent
_LAST_LINES = 12


def follow(*argv: str) -> None:
    """Run a command whose output people follow.

    Raises:
        UserError: it is not installed, or it failed.

    """
    status = _run(argv, capture=False).returncode
    if status != 0:
        raise UserError(f"`{shlex.join(argv)}` ended with status {status}; its own words stand above")


def output(*argv: str) -> str:
    """Run a command and return its standard output.

    Raises:
        UserError: it is not installed, or it failed.

    """
    done = _run(argv, capture=True)
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:])
        raise UserError(f"`{shlex.join(argv)}` ended with status {done.returncode}:\n{said}")
    return done.stdout


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed, whatever its status.

    Raises:
        UserError: it is not installed.

    """
    return _run(argv, capture=True)


def _run(argv: tuple[str, ...], *, capture: bool) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, check=False, capture_output=capture, text=True, cwd=PROJECT)
    except FileNotFoundError as error:
        remedy = 'install it; with the local stand-ins type `eval "$(python3 -m local env)"`'
        raise UserError(f"`{argv[0]}` is not on PATH: {remedy}") from error
