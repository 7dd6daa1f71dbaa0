"""Lists by the page, as Google answers them: at most so many items, and a token for the next ones."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from local.gcp.errors import invalid

Json: TypeAlias = dict[str, Any]


def page(items: Sequence[Json], field: str, size: str | None, token: str | None) -> Json:
    """Answer one page of `items` under `field`, with nextPageToken where more follow.

    Raises ApiError 400 for a token that is none of ours.
    """
    if token and not token.isdecimal():
        raise invalid(f"pageToken {token!r} is none that was answered.")
    first = int(token or 0)
    count = int(size or 0) or len(items)
    answer: Json = {field: list(items[first : first + count])}
    if first + count < len(items):
        answer["nextPageToken"] = str(first + count)
    return answer
