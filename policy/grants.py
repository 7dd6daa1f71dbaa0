"""Who may do what at Google Cloud."""

import re
from collections.abc import Iterator

from policy.resource import Resource, texts
from policy.rule import rule

_GRANTS = ("gcp:*IAMMember", "gcp:*IAMBinding", "gcp:*IAMPolicy")
_WIDE_SCOPES = ("projects", "folder", "organizations", "billing")
_EVERYBODY = re.compile(r"\b(allUsers|allAuthenticatedUsers)\b|^(publicRead|publicReadWrite|authenticatedRead)$")
_ROLE = re.compile(r"\broles/[A-Za-z0-9_.]+")
_WIDE_ROLE = re.compile(r"roles/(owner|editor|viewer|storage\.legacyBucketOwner|.*\.admin)")
_ACCOUNT_ROLE = "roles/iam.workloadIdentityUser"


@rule("gcp:*")
def nothing_is_granted_to_everybody(resource: Resource) -> Iterator[str]:
    """CIS Google Cloud 5.1: no grant to allUsers or allAuthenticatedUsers, in whatever form."""
    for path, text in texts(resource.props):
        found = _EVERYBODY.search(text)
        if found is not None:
            yield f"{path} names {found[0]}: name the one account that needs it"


@rule(*_GRANTS)
def grants_reach_one_resource(grant: Resource) -> Iterator[str]:
    """CIS Google Cloud 1.5, least privilege: a grant is on one resource, never on a project or what is above it."""
    scope = grant.type.split(":")[1].split("/")[0]
    if scope in _WIDE_SCOPES:
        reach = "project" if scope == "projects" else scope
        yield f"{_roles(grant)} on a whole {reach}: grant it on the one bucket or account, as BucketIAMMember does"


@rule(*_GRANTS)
def roles_are_narrow(grant: Resource) -> Iterator[str]:
    """CIS Google Cloud 1.5: no basic role and no role that rules what it is granted on."""
    for path, text in texts(grant.props):
        for role in _ROLE.findall(text):
            if _WIDE_ROLE.fullmatch(role):
                yield f"{path} is {role}: take a role that only uses the resource, such as roles/storage.objectUser"


@rule("gcp:serviceaccount/*IAMMember", "gcp:serviceaccount/*IAMBinding", "gcp:serviceaccount/*IAMPolicy")
def service_accounts_are_lent_to_pods_only(grant: Resource) -> Iterator[str]:
    """CIS Google Cloud 1.6: nobody may act as a service account but pods, through Workload Identity."""
    for path, text in texts(grant.props):
        for role in _ROLE.findall(text):
            if role != _ACCOUNT_ROLE:
                yield f"{path} is {role}: only {_ACCOUNT_ROLE} is granted on a service account"


def _roles(grant: Resource) -> str:
    """Return the roles of a grant, for a message."""
    found = sorted({role for _, text in texts(grant.props) for role in _ROLE.findall(text)})
    return ", ".join(found) or "a role"


POLICIES = (
    nothing_is_granted_to_everybody,
    grants_reach_one_resource,
    roles_are_narrow,
    service_accounts_are_lent_to_pods_only,
)
