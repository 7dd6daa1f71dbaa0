"""Findings that stay, each with its reason, and what follows: a finding without one fails, a reason without one too."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from tests.policy.scanners.finding import Finding

Accepted = Mapping[Finding, str]
_FILE = Path(__file__).parent / "accepted.yaml"


def read(text: str) -> dict[Finding, str]:
    """Return accepted findings and their reasons; every entry has `id`, `resources` and `reason`."""
    entries: list[dict[str, str | list[str]]] = yaml.safe_load(text) or []
    accepted: dict[Finding, str] = {}
    for entry in entries:
        reason = str(entry["reason"]).strip()
        assert reason, f"{entry['id']} is accepted without a reason"
        for resource in entry["resources"]:
            finding = Finding(str(entry["id"]), resource)
            assert finding not in accepted, f"{finding} is accepted twice"
            accepted[finding] = reason
    return accepted


ACCEPTED: Accepted = read(_FILE.read_text())
"""What is accepted of the stack `prod`."""


def problems(found: Iterable[Finding], accepted: Accepted = ACCEPTED) -> list[str]:
    """Return what has to be done, in a line each: findings nobody accepted, and accepted ones that are gone."""
    present = set(found)
    new = [f"{one.id} of {one.resource}: mend it, or give a reason in {_FILE.name}" for one in present - set(accepted)]
    gone = [f"{one.id} of {one.resource} is gone: remove it from {_FILE.name}" for one in set(accepted) - present]
    return sorted([*new, *gone])
