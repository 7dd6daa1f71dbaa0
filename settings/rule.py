"""What a rule about a setting is.

A rule takes a value and returns None, or what is wrong with it and what to write instead, to be read after
"<setting> is <value>: ". The modules beside this one hold the rules, `reader` says which a setting follows.
"""

import difflib
from collections.abc import Iterable

_LONGEST = 80


def shown(value: str) -> str:
    """Return the beginning of a value, in quotes and on one line; nothing of a private key."""
    if "PRIVATE KEY" in value:
        return "[hidden]"
    line = value.partition("\n")[0][:_LONGEST]
    return f"'{line}'" if line == value else f"'{line}…'"


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return ", did you mean '...'?" for the nearest of the known names, or nothing where none is near."""
    nearest = difflib.get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f", did you mean '{nearest[0]}'?" if nearest else ""
