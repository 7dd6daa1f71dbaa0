"""Which private range a network gets for services, when it asks for a length only.

The range around the database servers' addresses comes first, so that an instance's private address lies in the range
that was reserved for it, as at Google. After it come parts of 10.128.0.0/9.
"""

import ipaddress
from collections.abc import Iterator, Sequence

_MORE = ipaddress.IPv4Network("10.128.0.0/9")
Network = ipaddress.IPv4Network


def free(length: int, home: Network, taken: Sequence[Network]) -> Network | None:
    """Answer the first range of this prefix length that overlaps none of `taken`; None when there is none."""
    return next((c for c in _candidates(length, home) if not any(c.overlaps(t) for t in taken)), None)


def _candidates(length: int, home: Network) -> Iterator[Network]:
    if length <= home.prefixlen:
        yield home.supernet(new_prefix=length)
    if length >= _MORE.prefixlen:
        yield from _MORE.subnets(new_prefix=length)
