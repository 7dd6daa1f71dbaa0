"""Differences that were looked at: differences.yaml says which answers may differ, where, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

FILE = Path(__file__).parent / "differences.yaml"


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """A difference, as it stands in the file."""

    reason: str
    calls: Sequence[str]
    """Steps by their title: method and route as calls/*.yaml writes them, and the label of one that has any."""
    parts: Sequence[str] = ("*",)
    """Places within an answer, as patterns: `status`, `headers.etag`, `body.*`."""

    def covers(self, title: str, part: str) -> bool:
        """Tell whether this speaks of a part of the answers to a step."""
        return title in self.calls and any(fnmatchcase(part, pattern) for pattern in self.parts)


def reviewed() -> list[Reviewed]:
    """Return everything in the file."""
    return [Reviewed(**each) for each in yaml.safe_load(FILE.read_text())]
