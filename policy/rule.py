"""Makes policies from functions: the name is the policy's, the docstring its description, each yield a violation.

A violation reads "<what is wrong, with the value>: <remedy>"; the resource is put before it here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from inspect import getdoc
from typing import Any

from pulumi_policy import (
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.resource import Resource, plain

Check = Callable[[Resource], Iterable[str]]
StackCheck = Callable[[Sequence[Resource]], Iterable[tuple[Resource, str]]]

_inputs: dict[str, Mapping[str, Any]] = {}
"""What was asked for, by URN; of the outputs that a stack rule is shown, a preview hides all a provider may fill in."""


def rule(*types: str) -> Callable[[Check], ResourceValidationPolicy]:
    """Make a policy from a check of single resources, of types that match one of the patterns."""

    def decorate(check: Check) -> ResourceValidationPolicy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if any(fnmatchcase(base(args.resource_type), pattern) for pattern in types):
                resource = seen(args)
                _inputs[resource.urn] = resource.props
                for problem in check(resource):
                    report(message(resource, problem), None)

        return ResourceValidationPolicy(policy_name(check), getdoc(check) or "", validate)

    return decorate


def stack_rule(check: StackCheck) -> StackValidationPolicy:
    """Make a policy from a check of all resources of a stack."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for resource, problem in check([seen(one, _inputs.get(one.urn)) for one in args.resources]):
            report(message(resource, problem), resource.urn)

    return StackValidationPolicy(policy_name(check), getdoc(check) or "", validate)


def policy_name(check: Callable[..., object]) -> str:
    """Return the name of the policy that a function becomes."""
    return check.__name__.replace("_", "-")


def base(type_: str) -> str:
    """Return the type that a patch of the Kubernetes provider changes, of DeploymentPatch Deployment; others as is."""
    return type_.removesuffix("Patch") if type_.startswith("kubernetes:") else type_


def seen(args: ResourceValidationArgs | PolicyResource, props: Mapping[str, Any] | None = None) -> Resource:
    """Return a resource as a rule sees it, with its own properties unless others are given."""
    type_ = base(args.resource_type)
    patch = type_ != args.resource_type
    sources = args.property_dependencies if isinstance(args, PolicyResource) else {}
    return Resource(
        type=type_,
        name=args.name,
        urn=args.urn,
        props=plain(args.props, patch=patch) if props is None else props,
        protected=args.opts.protect,
        patch=patch,
        made_of={name: [one.resource_type for one in resources] for name, resources in sources.items()},
    )


def message(resource: Resource, problem: str) -> str:
    """Return a violation with the resource that it is about."""
    physical = resource.at("metadata.name") or resource.at("name")
    name = physical if isinstance(physical, str) else resource.name
    return f"{resource.kind} {name}: {problem}"
