"""Who may do what in Kubernetes."""

from collections.abc import Iterator

from policy.resource import Resource, at, differs, items
from policy.rule import rule

_GROUP = "kubernetes:rbac.authorization.k8s.io/*"
_BINDINGS = (f"{_GROUP}:RoleBinding", f"{_GROUP}:ClusterRoleBinding")
_EVERYBODY = ("system:anonymous", "system:unauthenticated", "system:authenticated")
_LOOKING = ("get", "list", "watch")


@rule(*_BINDINGS)
def nobody_is_made_cluster_admin(binding: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.1.1: nothing that is deployed needs to rule all of the cluster."""
    if binding.at("roleRef.name") == "cluster-admin":
        yield "roleRef.name is cluster-admin: bind a Role that has the verbs and resources that are needed"


@rule(*_BINDINGS)
def nothing_is_bound_to_everybody(binding: Resource) -> Iterator[str]:
    """CIS GKE 4.1.8 to 4.1.10: no role for callers without a name, nor for everybody who has an account at Google."""
    for number, subject in enumerate(items(binding.at("subjects"))):
        name = at(subject, "name")
        if name in _EVERYBODY:
            yield f"subjects[{number}].name is {name}: name the ServiceAccount that needs it"


@rule(f"{_GROUP}:Role", f"{_GROUP}:ClusterRole")
def roles_name_what_they_allow(role: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.1.3: no role allows everything, nor more than to look on everything."""
    for number, entry in enumerate(items(role.at("rules"))):
        more = [verb for verb in items(at(entry, "verbs")) if differs(verb, *_LOOKING)]
        for field in ("verbs", "resources"):
            if more and "*" in items(at(entry, field)):
                yield f"rules[{number}] has * for {field}, and allows {more}: name those that are needed"


POLICIES = (
    nobody_is_made_cluster_admin,
    nothing_is_bound_to_everybody,
    roles_name_what_they_allow,
)
