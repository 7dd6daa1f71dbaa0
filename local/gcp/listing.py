"""Listings of objects by the page: the emulator answers them whole and in the order of their making.

Items and prefixes count together and come in the order of their names, a thousand at most, as Cloud Storage answers
them (https://cloud.google.com/storage/docs/json_api/v1/objects/list). A page token is the last name of its page, and
its generation: in a bucket with versioning a name may come more than once.
"""

import base64
from collections.abc import Mapping
from typing import Any, TypeAlias

from local.gcp.errors import invalid

Json: TypeAlias = dict[str, Any]

_MOST = 1000


def paged(answer: Json, query: Mapping[str, str]) -> Json:
    """Answer the page of a whole listing that `query` asks for; ApiError 400 for a token that is none of ours."""
    size = min(int(query.get("maxResults", _MOST)) or _MOST, _MOST)
    items = {(item["name"], item["generation"]): item for item in answer.get("items", [])}
    entries = sorted([*items, *((prefix, "") for prefix in answer.get("prefixes", []))])
    last = _last(query.get("pageToken", ""))
    left = [entry for entry in entries if entry > last]
    chosen = left[:size]
    page: Json = {"kind": "storage#objects"}
    if found := [items[entry] for entry in chosen if entry in items]:
        page["items"] = found
    if prefixes := [name for name, generation in chosen if not generation]:
        page["prefixes"] = prefixes
    if len(left) > size:
        page["nextPageToken"] = base64.urlsafe_b64encode("\n".join(chosen[-1]).encode()).decode()
    return page


def _last(token: str) -> tuple[str, str]:
    try:
        name, _, generation = base64.urlsafe_b64decode(token).decode().partition("\n")
    except ValueError as error:
        raise invalid(f"pageToken {token!r} is none that was answered.") from error
    return name, generation
