"""A copy of the project that a test may configure as it likes, and the commands that people type in it."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
LOCAL_VARIABLES = ("MLFLOW_LOCAL_INSTANCE", "KUBECONFIG", "STORAGE_EMULATOR_HOST")
OUR_PREFIXES = ("PULUMI_", "PYTEST_", "PYTHON", "MAKE", "MFLAGS")
"""What variables of the test run itself begin with; one of Python's makes every preview compile the program anew."""


@dataclass(frozen=True)
class Scratch:
    """A copy of the project.

    Attributes:
        folder: where it is.
        env: the whole environment of its commands.

    """

    folder: Path
    env: Mapping[str, str]

    @classmethod
    def create(cls, folder: Path, env: Mapping[str, str]) -> "Scratch":
        """Copy what git knows or would add, share `.venv`, and add `env` to a clean environment."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            check=True,
            capture_output=True,
            text=True,
            cwd=PROJECT,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, folder / name)
        (folder / ".venv").symlink_to(PROJECT / ".venv")
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in LOCAL_VARIABLES and not name.startswith(OUR_PREFIXES)
        }
        return cls(folder, {**inherited, "PULUMI_ERROR_OUTPUT_STRING": "1", **env})

    def acting(self) -> "Scratch":
        """Return the copy with the environment that `python -m local env` prints, whose instance has to run."""
        printed = self.output("bash", "-c", 'eval "$(python3 -m local env)" && exec env -0')
        return Scratch(self.folder, dict(entry.split("=", 1) for entry in printed.split("\0") if entry))

    def run(self, *argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy and return what it printed, whatever its status."""
        return subprocess.run(
            argv, check=False, capture_output=True, text=True, cwd=self.folder, env=self.env, input=stdin
        )

    def output(self, *argv: str, stdin: str | None = None) -> str:
        """Run a command that has to succeed; return its standard output."""
        done = self.run(*argv, stdin=stdin)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def changes(self, *options: str) -> dict[str, str]:
        """Return what a preview would do: the operation of each resource that changes, by its kind and name."""
        text = self.output("pulumi", "preview", "--json", *options)
        steps: list[dict[str, Any]] = json.loads(text)["steps"]
        return {
            "::".join(step["urn"].split("::")[2:]).split("$")[-1]: step["op"]
            for step in steps
            if step["op"] not in {"same", "read"}
        }
