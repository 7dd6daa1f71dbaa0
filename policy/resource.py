"""A resource as a rule sees it: plain values, and a mark where only an update will tell."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from pulumi_policy import proxy
from pulumi_policy.deserialize import serialize_properties


class Unknown(Enum):
    """Stands for a value that a preview can't know."""

    UNKNOWN = "known after the update"


UNKNOWN = Unknown.UNKNOWN
_SENTINELS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack."""

    type: str
    """Type token, such as gcp:storage/bucket:Bucket."""
    name: str
    """Name within the program."""
    urn: str
    """Name within Pulumi's state."""
    props: Mapping[str, Any]
    """Inputs; outputs only where a stack rule meets what is not part of the update, as with `--target`."""
    protected: bool
    """Whether Pulumi refuses to delete it."""

    @property
    def kind(self) -> str:
        """Last part of the type, such as Bucket."""
        return self.type.rpartition(":")[2]

    def at(self, path: str) -> Any:  # noqa: ANN401 - properties are of any type
        """Return what stands at a dotted path; None where nothing does, UNKNOWN where a preview can't know."""
        return at(self.props, path)


def plain(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return properties as dictionaries and lists; the SDK's own raise an error where a value is unknown."""
    return cast("Mapping[str, Any]", _marked(serialize_properties(props)))


def _marked(value: object) -> object:
    match value:
        case dict():
            return {key: _marked(item) for key, item in cast("dict[str, object]", value).items()}
        case list():
            return [_marked(item) for item in cast("list[object]", value)]
        case str():
            return UNKNOWN if value in _SENTINELS else value
        case _:
            return value


def at(value: object, path: str) -> Any:  # noqa: ANN401 - properties are of any type
    """Return what stands at a dotted path of `value`; None where nothing does, UNKNOWN where a preview can't know."""
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return UNKNOWN if value is UNKNOWN else None
        value = cast("Mapping[str, object]", value).get(key)
    return value


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


def said(value: object) -> str:
    """Return a value as people write it."""
    match value:
        case None:
            return "not set"
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
