"""Which labels a Kubernetes LabelSelector finds; where a preview can't know, it is taken to find them."""

from collections.abc import Mapping
from typing import Any, cast

from policy.resource import UNKNOWN, Unknown, at, items


def selects(selector: object, labels: object) -> bool:
    """Tell whether a selector finds labels: an empty one finds all, one that is not set finds none."""
    if selector is None:
        return False
    wanted: Mapping[str, Any] | Unknown = at(selector, "matchLabels") or {}
    have = cast("Mapping[str, Any] | Unknown", labels or {})
    if isinstance(wanted, Unknown) or isinstance(have, Unknown):
        return True
    same = all(value == have.get(key) or UNKNOWN in (value, have.get(key)) for key, value in wanted.items())
    return same and all(_meets(have, expression) for expression in items(at(selector, "matchExpressions")))


def _meets(labels: Mapping[str, Any], expression: object) -> bool:
    key, operator, values = (at(expression, name) for name in ("key", "operator", "values"))
    value = labels.get(key)
    if UNKNOWN in (key, operator, values, value):
        return True
    match operator:
        case "In":
            return value in values or UNKNOWN in values
        case "NotIn":
            return value not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
