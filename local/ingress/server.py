"""nginx at work: its files are tried before they count, put in place all at once, and taken up under way.

What nginx does then is what it does everywhere: requests that have begun end as they began, kept connections that are
idle are closed, and clients have to be ready for that.


A set of files is a folder below `sets`. The link `current` says which one counts, when nginx starts as well.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from local.errors import UserError
from local.ingress import configuration
from local.ingress.configuration import Files
from local.process import Daemon, wait_for

RELOAD_SECONDS = 20
WORKER = "nginx: worker process"
"""The title of a worker; that of one that only ends what it began goes on."""


def put(folder: Path, content: Files) -> Path:
    """Write a set of files (mode 0600: some are keys), unless it is there; return its folder."""
    target = folder / "sets" / configuration.digest(content)
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, data in content.items():
            file = partial / name
            file.touch(mode=0o600)
            file.write_bytes(data)
        partial.rename(target)
    return target


def activate(folder: Path, chosen: Path) -> None:
    """Let a set of files count."""
    link = folder / "current.partial"
    link.unlink(missing_ok=True)
    link.symlink_to(chosen.relative_to(folder))
    link.rename(folder / "current")


def forget_others(folder: Path) -> None:
    """Remove the sets that do not count."""
    current = (folder / "current").resolve()
    for other in (folder / "sets").iterdir():
        if other != current:
            shutil.rmtree(other)


class Server:
    """The running nginx, whose files are in `folder`."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self._daemon = daemon
        self._folder = folder

    def refuses(self, content: Files) -> str | None:
        """Return why nginx would not take these files, None if it would."""
        chosen = put(self._folder, content)
        # In nginx's own namespaces: there the address is that it will listen on, and the folders are.
        enter = ["nsenter", f"--target={self._pid()}", "--net", "--mount", "--"]
        test = [*enter, "nginx", "-t", "-q", "-e", "stderr", "-c", str(chosen / configuration.MAIN)]
        done = subprocess.run(test, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return None
        said = done.stderr.strip().partition("\n")[0].replace(f"{chosen}/", "")
        return re.sub(r"^.*\[emerg\] (\d+#\d+: )?", "", said)

    def take_up(self, content: Files) -> None:
        """Serve by these files from now on; requests under way end as they began.

        Raises:
            UserError: nginx does not run, or did not take them up in time.

        """
        before = self._serving()
        activate(self._folder, put(self._folder, content))
        os.kill(self._pid(), signal.SIGHUP)
        wait_for(
            lambda: bool(self._serving()) and not self._serving() & before,
            what="nginx to take up its configuration",
            deadline=RELOAD_SECONDS,
            log=self._daemon.log,
        )
        forget_others(self._folder)

    def _pid(self) -> int:
        pid = self._daemon.pid()
        if pid is None:
            raise UserError("nginx does not run: start it with `make up`")
        return pid

    def _serving(self) -> set[int]:
        """Return the workers that accept connections; one that only ends what it began says so in its title."""
        master = self._pid()
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return {int(child) for child in children if _title(child) == WORKER}


def _title(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
