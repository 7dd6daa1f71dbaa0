"""Runs other programs; a failure becomes an error that names the command and repeats its last words."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import UserError

LAST_LINES = 12
WITHOUT_PROXY: Mapping[str, str] = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"), ""
)
"""Environment of what asks nobody but this machine: a proxy for the way to the internet is none for the way here."""
CREDENTIALS = re.compile(r"(?<=://)[^/\s?#]*@")


def tied(argv: Sequence[str | Path]) -> list[str | Path]:
    """Return `argv` so that it ends when this process ends, however that is; where `setpriv` is missing, as it was."""
    return [*(("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()), *argv]


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a command to its end; `env` is added to the environment.

    Raises:
        UserError: it is not installed, or it failed.

    """
    output(argv, env=env, cwd=cwd)


def output(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> str:
    """Run a command to its end and return its standard output.

    Raises:
        UserError: it is not installed, or it failed.

    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            input=stdin,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
    except FileNotFoundError as error:
        raise UserError(f"`{words[0]}` is not installed: install it and try again") from error
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        raise UserError(CREDENTIALS.sub("", f"`{shlex.join(words)}` ended with status {done.returncode}:\n{said}"))
    return done.stdout
