"""Who may do what at Google Cloud."""

import re
from collections.abc import Iterator

from policy.resource import Resource, texts
from policy.rule import rule

_KINDS = ("Member", "Binding", "Policy")
_GRANTS = tuple(f"gcp:*:*I[Aa][Mm]{kind}" for kind in _KINDS)
"""The provider's types are named BucketIAMMember, and the later ones SecretIamMember."""
_WIDE_SCOPES = {
    "projects": "project",
    "folder": "folder",
    "organizations": "organization",
    "billing": "billing account",
}
_EVERYBODY = re.compile(r"\b(allUsers|allAuthenticatedUsers)\b|^(publicRead|publicReadWrite|authenticatedRead)$")
_ROLE = re.compile(r"\broles/[A-Za-z0-9_.]+")
_PREDEFINED = re.compile(rf"(?<!/){_ROLE.pattern}")
"""A role of Google's; what one of a project's own allows, its name does not tell."""
_WIDE_ROLE = re.compile(
    r"roles/(editor|viewer|writer|reader|(.*\.)?\w*[oO]wner|(.*\.)?\w*[aA]dmin|iam\.serviceAccount\w+)"
)
_NARROW = ("roles/storage.objectAdmin", "roles/iam.serviceAccountViewer")
"""Wide by name only: one rules objects, not the bucket nor, with uniform access, who may; the other only looks."""
_ACCOUNT_ROLE = "roles/iam.workloadIdentityUser"
_MEMBER = re.compile(r'(?:^|")(\w+:[^\s"]+)')
"""Somebody who is granted something: a kind and a name, by itself or within JSON."""
_POD = re.compile(r"\.svc\.id\.goog[\[/]")
_WORDS = ("description", "title", "filter", "expression")
"""What is said of a resource or asked of another, and grants nothing."""


@rule("gcp:*")
def nothing_is_granted_to_everybody(resource: Resource) -> Iterator[str]:
    """CIS Google Cloud 5.1: no grant to allUsers or allAuthenticatedUsers, in whatever form."""
    for path, text in _granting(resource):
        found = _EVERYBODY.search(text)
        if found is not None:
            yield f"{path} names {found[0]}: name the one account that needs it"


@rule(*_GRANTS)
def grants_reach_one_resource(grant: Resource) -> Iterator[str]:
    """CIS Google Cloud 1.5, least privilege: a grant is on one resource, never on a project or what is above it."""
    reach = _WIDE_SCOPES.get(grant.type.split(":")[1].split("/")[0])
    if reach is not None:
        yield f"{_roles(grant)} on a whole {reach}: grant it on the one bucket or account, as BucketIAMMember does"


@rule(*_GRANTS)
def roles_are_narrow(grant: Resource) -> Iterator[str]:
    """CIS Google Cloud 1.5: no basic role, none that rules what it is granted on or acts as somebody else."""
    for path, text in _granting(grant):
        for role in _PREDEFINED.findall(text):
            if _WIDE_ROLE.fullmatch(role) and role not in _NARROW:
                yield f"{path} is {role}: take a role that only uses the resource, such as roles/storage.objectUser"


@rule(*(f"gcp:serviceaccount/*I[Aa][Mm]{kind}" for kind in _KINDS))
def service_accounts_are_lent_to_pods_only(grant: Resource) -> Iterator[str]:
    """CIS Google Cloud 1.6: nobody may act as a service account but pods, through Workload Identity."""
    for path, text in _granting(grant):
        for role in _ROLE.findall(text):
            if role != _ACCOUNT_ROLE:
                yield f"{path} is {role}: only {_ACCOUNT_ROLE} is granted on a service account"
        for member in _MEMBER.findall(text):
            if not _POD.search(member):
                yield f"{path} names {member}: name a pod, serviceAccount:<project>.svc.id.goog[<namespace>/<account>]"


def _roles(grant: Resource) -> str:
    """Return the roles of a grant, for a message."""
    found = sorted({role for _, text in _granting(grant) for role in _ROLE.findall(text)})
    return ", ".join(found) or "a role"


def _granting(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield the texts of a resource that may grant something, with their paths."""
    return ((path, text) for path, text in texts(resource.props) if path.rpartition(".")[2] not in _WORDS)


POLICIES = (
    nothing_is_granted_to_everybody,
    grants_reach_one_resource,
    roles_are_narrow,
    service_accounts_are_lent_to_pods_only,
)
