"""What holds for every pod, whatever makes it: it may do little and says what it needs."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from policy.resource import UNKNOWN, Resource, at, differs, items, not_off, not_on, said
from policy.rule import rule

_PATHS = {
    "Pod": "spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), "spec.template.spec"
    ),
}
WORKLOADS = tuple(f"kubernetes:*:{kind}" for kind in _PATHS)
"""Types of everything that makes pods."""

_SECCOMP = ("RuntimeDefault", "Localhost")
_CAPABILITY = "NET_BIND_SERVICE"
"""The one that the standard lets a container have: to take a port below 1024."""


def makes_pods(resource: Resource) -> bool:
    """Tell whether a resource makes pods."""
    return resource.type.startswith("kubernetes:") and resource.kind in _PATHS


def pod_spec(workload: Resource) -> Mapping[str, Any]:
    """Return the `spec` of the pods that a resource makes; empty where it is not known."""
    spec = workload.at(_PATHS[workload.kind])
    return cast("Mapping[str, Any]", spec) if isinstance(spec, Mapping) else {}


def containers(workload: Resource) -> Iterator[tuple[str, Any]]:
    """Yield every container of the pods that a resource makes, UNKNOWN ones as well, with the words that name it."""
    spec = pod_spec(workload)
    for field in ("initContainers", "containers"):
        for container in items(at(spec, field)):
            yield f"container {said(at(container, 'name'))}", container


def _either(workload: Resource, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what each container has for a setting that it may also inherit from its pod."""
    inherited = at(pod_spec(workload), path)
    for name, container in containers(workload):
        own = at(container, path)
        yield name, inherited if own is None else own


@rule(*WORKLOADS)
def pods_run_as_non_root(workload: Resource) -> Iterator[str]:
    """Pod Security Standards, restricted: no container runs as root."""
    for name, value in _either(workload, "securityContext.runAsNonRoot"):
        if not_on(value):
            yield f"{name} has securityContext.runAsNonRoot {said(value)}: set it to true"
    for name, value in _either(workload, "securityContext.runAsUser"):
        if value == 0:
            yield f"{name} has securityContext.runAsUser 0: take a number above 10000"


@rule(*WORKLOADS)
def pods_have_a_seccomp_profile(workload: Resource) -> Iterator[str]:
    """Pod Security Standards, restricted: system calls are filtered, as the runtime does by default."""
    for name, value in _either(workload, "securityContext.seccompProfile.type"):
        if differs(value, *_SECCOMP):
            yield f"{name} has securityContext.seccompProfile.type {said(value)}: set it to RuntimeDefault"


@rule(*WORKLOADS)
def containers_gain_no_privileges(workload: Resource) -> Iterator[str]:
    """Pod Security Standards, restricted: no privileged container, no escalation, no capability but one."""
    for name, container in containers(workload):
        if at(container, "securityContext.privileged") not in (None, False, UNKNOWN):
            yield f"{name} is privileged: remove securityContext.privileged"
        escalation = at(container, "securityContext.allowPrivilegeEscalation")
        if not_off(escalation):
            yield f"{name} has securityContext.allowPrivilegeEscalation {said(escalation)}: set it to false"
        dropped = at(container, "securityContext.capabilities.drop")
        if dropped is not UNKNOWN and "ALL" not in items(dropped) and UNKNOWN not in items(dropped):
            yield f"{name} drops {items(dropped)} of its capabilities: set securityContext.capabilities.drop to [ALL]"
        added = [one for one in items(at(container, "securityContext.capabilities.add")) if differs(one, _CAPABILITY)]
        if added:
            yield f"{name} has the capabilities {added}: remove them from securityContext.capabilities.add"


@rule(*WORKLOADS)
def containers_have_a_read_only_root(workload: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.6.3, NSA/CISA hardening guide: nobody changes a running program."""
    for name, container in containers(workload):
        value = at(container, "securityContext.readOnlyRootFilesystem")
        if not_on(value):
            yield f"{name} has readOnlyRootFilesystem {said(value)}: set it to true, mount an emptyDir where it writes"


@rule(*WORKLOADS)
def pods_share_nothing_with_their_node(workload: Resource) -> Iterator[str]:
    """Pod Security Standards, baseline: no namespace, folder or port of the node."""
    spec = pod_spec(workload)
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if at(spec, field) not in (None, False, UNKNOWN):
            yield f"{field} is {said(at(spec, field))}: remove it"
    for volume in items(at(spec, "volumes")):
        if at(volume, "hostPath") not in (None, UNKNOWN):
            yield f"volume {at(volume, 'name')} is the node's {at(volume, 'hostPath.path')}: take an emptyDir"
    for name, container in containers(workload):
        for port in items(at(container, "ports")):
            if at(port, "hostPort") not in (None, 0, UNKNOWN):
                yield f"{name} takes port {said(at(port, 'hostPort'))} of its node: remove hostPort, use a Service"


@rule(*WORKLOADS)
def pods_have_no_token_unless_asked(workload: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.1.5, 5.1.6: no token for Kubernetes' API but with a ServiceAccount of the pod's own."""
    spec = pod_spec(workload)
    automount, account = at(spec, "automountServiceAccountToken"), at(spec, "serviceAccountName")
    asked = automount is True and account not in (None, "default")
    if spec and not_off(automount) and not asked:
        yield (
            f"automountServiceAccountToken is {said(automount)} with the ServiceAccount {account or 'default'}: set it"
            " to false, or to true with a ServiceAccount of its own"
        )


@rule(*WORKLOADS)
def containers_state_their_resources(workload: Resource) -> Iterator[str]:
    """kube-score container resources: CPU and memory are requested, and limited."""
    for name, container in containers(workload):
        for path in ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory"):
            if at(container, f"resources.{path}") is None:
                yield f"{name} has no resources.{path}: set it to what the container needs"


POLICIES = (
    pods_run_as_non_root,
    pods_have_a_seccomp_profile,
    containers_gain_no_privileges,
    containers_have_a_read_only_root,
    pods_share_nothing_with_their_node,
    pods_have_no_token_unless_asked,
    containers_state_their_resources,
)
