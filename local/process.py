"""Programs that stay in the background, known by process id and start time, so that no other process is ever ended."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.command import LAST_LINES
from local.errors import UserError

POLL_SECONDS = 0.05
_children: list[subprocess.Popen[bytes]] = []
"""What this process started: kept, since a child that nobody asks after stays as a zombie."""


def wait_for(condition: Callable[[], bool], *, what: str, deadline: float, log: Path | None = None) -> None:
    """Poll until `condition` holds.

    Args:
        condition: asked again and again.
        what: what is awaited, for the message.
        deadline: seconds until giving up.
        log: where to look when it does not come.

    Raises:
        UserError: it did not hold in time.

    """
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            hint = f"; its log is {log}" if log else ""
            raise UserError(f"waited {deadline:.0f} s in vain for {what}{hint}")
        time.sleep(POLL_SECONDS)


def start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None when there is none or it is a zombie (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One program in the background.

    Attributes:
        name: names its pid file and its log.
        argv: the command.
        run_dir: folder of the pid file.
        log_dir: folder of the log.
        env: added to the environment.
        cwd: the folder that it runs in.

    """

    name: str
    argv: Sequence[str | Path]
    run_dir: Path
    log_dir: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: Path | None = None

    @property
    def log(self) -> Path:
        """The file with everything that it prints."""
        return self.log_dir / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """The file with its process id and start time."""
        return self.run_dir / f"{self.name}.pid"

    def pid(self) -> int | None:
        """Return its process id, None when it does not run."""
        _children[:] = [child for child in _children if child.poll() is None]
        try:
            noted = json.loads(self.pid_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return noted["pid"] if start_time(noted["pid"]) == noted["started"] else None

    def running(self) -> bool:
        """Tell whether it runs."""
        return self.pid() is not None

    def ended(self) -> UserError:
        """Return the error that says why it ended: its last words."""
        words = self.log.read_text(errors="replace").strip().splitlines()[-LAST_LINES:]
        return UserError(f"{self.name} ended at once; its log is {self.log}:\n" + "\n".join(words))

    def start(self) -> None:
        """Start it in a session of its own, unless it runs already."""
        if self.running():
            return
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                list(self.argv),
                env={**os.environ, **self.env},
                cwd=self.cwd or self.run_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _children.append(child)
        note = json.dumps({"pid": child.pid, "started": start_time(child.pid)})
        partial = self.pid_file.with_suffix(".partial")
        partial.write_text(note)
        partial.rename(self.pid_file)

    def stop(self, timeout: float = 20) -> None:
        """Ask it to end, wait `timeout` seconds, then end it for sure."""
        pid = self.pid()
        if pid is not None:
            _signal(pid, signal.SIGTERM)
            try:
                wait_for(lambda: not self.running(), what=f"{self.name} to end", deadline=timeout)
            except UserError:
                _signal(pid, signal.SIGKILL)
                wait_for(lambda: not self.running(), what=f"{self.name} to end after SIGKILL", deadline=10)
        self.pid_file.unlink(missing_ok=True)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
