"""What a rule about a setting is.

A rule takes a value and returns None, or what is wrong with it and what to write instead, to be read after
"<setting> is <value>: ". The modules beside this one hold the rules, `reader` says which a setting follows.
"""

import difflib
from collections.abc import Iterable


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return ", did you mean '...'?" for the nearest of the known names, or nothing where none is near."""
    nearest = difflib.get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f", did you mean '{nearest[0]}'?" if nearest else ""
