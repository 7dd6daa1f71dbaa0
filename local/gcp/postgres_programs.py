"""Programs and files of PostgreSQL: run as its own user when we are root, since it refuses to run as root.

A program ends with the stand-in, by whatever way that ends; a database server, which is nobody's child, outlives it.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from local.errors import UserError
from local.gcp.errors import OperationFailedError

_ENDS_WITH_US = ("/usr/bin/setpriv", "--pdeathsig=KILL", "--")

SYSTEM_USER = "nobody" if os.geteuid() == 0 else None
"""Whom PostgreSQL runs as, since it refuses to be root; None where we are somebody else."""
_GROUP = pwd.getpwnam(SYSTEM_USER).pw_gid if SYSTEM_USER else None


def program(folder: Path, major: int, name: str) -> str:
    """Answer where a program for the server in `folder` is: beside it, for all servers of that version."""
    return str(folder.parent / f"postgresql-{major}" / "bin" / name)


def run(command: list[str], *, user: str | None = SYSTEM_USER, stdin: IO[bytes] | None = None) -> tuple[int, str]:
    """Run a program with nothing of our environment; answer its status and its words."""
    result = subprocess.run(
        [*_ENDS_WITH_US, *command],
        user=user,
        group=_GROUP if user else None,
        extra_groups=[] if user else None,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        cwd="/",
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


def require(command: list[str], *, user: str | None = SYSTEM_USER, stdin: IO[bytes] | None = None) -> None:
    """Run a program that has to succeed; OperationFailedError with its last word when it does not."""
    status, said = run(command, user=user, stdin=stdin)
    if status:
        raise OperationFailedError("INTERNAL_ERROR", f"{Path(command[0]).name} ended with {status}: {reason(said)}")


def end_servers(folder: Path) -> None:
    """End every database server below `folder` that outlived its stand-in, at once; nothing committed is lost.

    Raises UserError when one does not end.
    """
    for note in folder.glob("*/data/postmaster.pid"):
        data, pid = note.parent, note.read_text().partition("\n")[0]
        if not _works_in(pid, data):
            continue  # it has ended, and the number may be another process's
        stop = program(data.parent, int((data / "PG_VERSION").read_text()), "pg_ctl")
        status, said = run([stop, "stop", f"--pgdata={data}", "--mode=immediate"])
        if status and note.exists():
            raise UserError(f"the database server {pid} below {folder} does not end: {reason(said)}. End it by hand")


def _works_in(pid: str, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False


def reason(said: str) -> str:
    """Answer why a program failed, of all that it printed: its first word of an error, or its last word."""
    lines = said.strip().splitlines()
    errors = [line for line in lines if re.search("error:|FATAL:", line, re.IGNORECASE)]
    return (errors or lines[-1:] or ["(nothing was printed)"])[0]


def begin(path: Path) -> Path:
    """Make the empty folder that is to become `path` when it is whole; what was begun before is deleted.

    Each has a name of its own: what a killed program's own children still write does not get into the next one.
    """
    for left in path.parent.glob(f"{path.name}.new-*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{path.name}.new-", dir=path.parent))


def hand_over(path: Path) -> None:
    """Give a file or folder to the user that PostgreSQL runs as."""
    if SYSTEM_USER:
        shutil.chown(path, SYSTEM_USER, _GROUP)


def write(path: Path, content: str) -> None:
    """Write a file of PostgreSQL's, whole and through to the disk."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    with temporary.open("w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    hand_over(temporary)
    temporary.rename(path)
