"""How resources are told to a policy, and the means to put faults in."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from tests.policy.example import STACK

Faults = Mapping[str, Any]
"""Values by dotted path; None takes away what is there."""


def with_faults(props: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """Return a copy of properties with faults put in."""
    changed = copy.deepcopy(dict(props))
    for path, value in faults.items():
        *folders, last = path.split(".")
        place: Any = changed
        for folder in folders:
            place = place[int(folder)] if folder.isdigit() else place.setdefault(folder, {})
        key = int(last) if last.isdigit() else last
        if value is None:
            del place[key]
        else:
            place[key] = value
    return changed


def urn(type_: str, name: str) -> str:
    """Return how Pulumi's state names a resource."""
    return f"urn:pulumi:test::mlflow::{type_}::{name}"


def _options(*, protect: bool) -> PolicyResourceOptions:
    return PolicyResourceOptions(protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def arguments(type_: str, name: str, props: Mapping[str, Any]) -> ResourceValidationArgs:
    """Return what the engine tells a policy of a resource."""
    return ResourceValidationArgs(type_, props, urn(type_, name), name, _options(protect=False), None)


def violations(policy: ResourceValidationPolicy, type_: str, props: Mapping[str, Any], name: str = "one") -> list[str]:
    """Return what a policy says about a resource."""
    said: list[str] = []
    policy.validate(arguments(type_, name, props), lambda message, _=None: said.append(message))
    return said


def stack_violations(policy: StackValidationPolicy, stack: Sequence[PolicyResource]) -> list[str]:
    """Return what a policy says about a stack."""
    said: list[str] = []
    policy.validate(StackValidationArgs(list(stack)), lambda message, _=None: said.append(message))
    return said


def in_stack(name: str, props: Mapping[str, Any], *, protect: bool, type_: str | None = None) -> PolicyResource:
    """Return a resource as the engine tells a policy of it at the end."""
    type_ = type_ or STACK[name][0]
    # A name of its own: by name, rules remember what the tests of single resources were told.
    options = _options(protect=protect)
    return PolicyResource(type_, cast("Any", props), urn(type_, f"{name}-in-stack"), name, options, None, None, [], {})
