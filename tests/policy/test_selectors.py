"""Which labels a selector finds."""

import pytest

from policy.resource import UNKNOWN
from policy.selectors import selects


@pytest.mark.parametrize(
    ("operator", "values", "found"),
    [
        *(("In", ["a", "b"], True), ("In", ["b"], False), ("NotIn", ["b"], True), ("NotIn", ["a"], False)),
        *(("Exists", None, True), ("DoesNotExist", None, False)),
    ],
)
def test_a_selector_may_have_expressions(operator: str, values: list[str] | None, found: bool) -> None:  # noqa: FBT001
    expression = {"key": "app", "operator": operator, "values": values}

    assert selects({"matchExpressions": [expression]}, {"app": "a"}) is found
    assert selects({"matchLabels": {"tier": "b"}, "matchExpressions": [expression]}, {"app": "a"}) is False


@pytest.mark.parametrize(
    ("selector", "labels", "found"),
    [
        (None, {"app": "a"}, False),
        ({}, {"app": "a"}, True),
        ({}, None, True),
        ({"matchLabels": {"app": "a"}}, None, False),
        ({"matchLabels": {"app": UNKNOWN}}, {"app": "a"}, True),
        ({"matchLabels": {"app": "a"}}, UNKNOWN, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": UNKNOWN}]}, {"app": "a"}, True),
        (UNKNOWN, {"app": "a"}, True),
    ],
)
def test_a_selector_that_is_not_set_finds_nothing_and_one_that_is_unknown_everything(
    selector: object,
    labels: object,
    found: bool,  # noqa: FBT001
) -> None:
    assert selects(selector, labels) is found
