"""The README's table of settings, made from the schema in Pulumi.yaml.

Owns the table between the two marks below. Leaves every word in it to the schema, and the rest of the README to people.
"""

import json
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parent.parent
BEGIN = "<!-- settings: made by `make docs` from Pulumi.yaml -->"
END = "<!-- end of settings -->"


def table() -> str:
    """Return the table (Markdown), one line a setting, in the order of the schema."""
    project: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    settings = {key: entry for key, entry in project["config"].items() if ":" not in key}
    lines = [
        f"| `{project['name']}:{key}` | {_default(entry['default'])} | {_cell(entry['description'])} |"
        for key, entry in settings.items()
    ]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *lines])


def filled(text: str) -> str:
    """Return a text with what stands between the marks replaced by the table.

    Raises:
        ValueError: the marks are not there, each once.

    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in after or END in after:
        raise ValueError(f"the table belongs between one line {BEGIN!r} and one line {END!r}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _default(value: object) -> str:
    if value in ("", []):
        return "none"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _cell(text: str) -> str:
    """Keep a text from ending its cell, or from being read as HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
