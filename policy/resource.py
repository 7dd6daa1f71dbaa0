"""A resource as a rule sees it: plain values, and a mark where only an update will tell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from pulumi_policy import proxy
from pulumi_policy.deserialize import serialize_properties


class Unknown(Enum):
    """Stands for a value that a preview can't know."""

    UNKNOWN = "known after the update"


UNKNOWN = Unknown.UNKNOWN
SENTINELS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
"""Texts by which Pulumi's protocol marks what is unknown."""


class Partial(dict[str, Any]):
    """A dictionary of a patch: what it leaves out, somebody else has set, and to a rule it is unknown."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack."""

    type: str
    """Type token, such as gcp:storage/bucket:Bucket; of a patch, the type of what it changes."""
    name: str
    """Name within the program."""
    urn: str
    """Name within Pulumi's state."""
    props: Mapping[str, Any]
    """Inputs; outputs only where a stack rule meets what is not part of the update, as with `--target`."""
    protected: bool
    """Whether Pulumi refuses to delete it."""
    patch: bool
    """Whether it changes what others have made, as a DeploymentPatch does."""
    made_of: Mapping[str, Sequence[str]]
    """Types of the resources that each property is made of; only a stack rule is told."""

    @property
    def kind(self) -> str:
        """Last part of the type, such as Bucket."""
        return self.type.rpartition(":")[2]

    def at(self, path: str) -> Any:  # noqa: ANN401 - properties are of any type
        """Return what stands at a dotted path; None where nothing does, UNKNOWN where a preview can't know."""
        return at(self.props, path)


def plain(props: Mapping[str, Any], *, patch: bool = False) -> Mapping[str, Any]:
    """Return properties as dictionaries and lists; the SDK's own raise an error where a value is unknown."""
    made = cast("dict[str, Any]", _marked(serialize_properties(props), Partial if patch else dict))
    if patch and isinstance(made.get("metadata"), Partial):
        made["metadata"].setdefault("namespace", None)  # a patch names in full what it changes
    return made


def _marked(value: object, table: type[dict[str, Any]]) -> object:
    match value:
        case dict():
            return table({key: _marked(item, table) for key, item in cast("dict[str, object]", value).items()})
        case list():
            return [_marked(item, table) for item in cast("list[object]", value)]
        case str():
            return UNKNOWN if value in SENTINELS else value
        case _:
            return value


def at(value: object, path: str) -> Any:  # noqa: ANN401 - properties are of any type
    """Return what stands at a dotted path of `value`; None where nothing does, UNKNOWN where a preview can't know."""
    for key in path.split("."):
        value = entry(value, key)
    return value


def entry(value: object, key: str) -> Any:  # noqa: ANN401 - properties are of any type
    """Return what a dictionary has for one key, which may have dots; None and UNKNOWN as `at` does."""
    if not isinstance(value, Mapping):
        return UNKNOWN if value is UNKNOWN else None
    return cast("Mapping[str, object]", value).get(key, UNKNOWN if isinstance(value, Partial) else None)


def items(value: object) -> list[Any]:
    """Return the items of a list, none where there is no list or it is unknown."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def differs(value: object, *allowed: object) -> bool:
    """Tell whether a value is known and none of those allowed."""
    return value is not UNKNOWN and value not in allowed


def not_on(value: object) -> bool:
    """Tell whether a switch is known and not true."""
    return value is not UNKNOWN and value is not True


def not_off(value: object) -> bool:
    """Tell whether a switch is known and not false; left out it is not false."""
    return value is not UNKNOWN and value is not False


def as_number(value: object) -> float | None:
    """Return a number, which people may write as text; None where there is none."""
    try:
        return float(str(value))
    except ValueError:
        return None


def said(value: object) -> str:
    """Return a value as people write it."""
    match value:
        case None:
            return "not set"
        case Unknown():
            return value.value
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string of a value with its dotted path."""
    if isinstance(value, str):
        yield path, value
        return
    entries: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value).items()
    elif isinstance(value, list):
        entries = enumerate(cast("list[object]", value))
    for key, item in entries:
        yield from texts(item, f"{path}.{key}" if path else str(key))
