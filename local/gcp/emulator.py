"""The object emulator as a child process of the stand-in: started, found and stopped.

What it serves, and how it keeps it, is left to the program itself, object_store.
"""

import subprocess
import sys
from pathlib import Path


class Emulator:
    """The child process. `url` is where it serves; it changes when the child had to be started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start the child and wait until it serves; nothing happens when it runs."""
        if self.running():
            return
        command = [sys.executable, "-m", "local.gcp.object_store", str(self._folder)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process = process
        port = "" if process.stdout is None else process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the object emulator ended with {process.wait()} before it served")
        self.url = f"http://127.0.0.1:{port}"

    def running(self) -> bool:
        """Tell whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Let the child finish its request and end."""
        if self._process is not None:
            self._process.communicate(timeout=30)  # ends its standard input
