"""What holds for pods only where data must last: more than one, fixed to the byte, not every port open to all."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from policy.durable import Problems, is_durable
from policy.images import has_digest
from policy.pods import containers, makes_pods
from policy.resource import UNKNOWN, Resource, as_number, at, items, said
from policy.rule import stack_rule
from policy.selectors import selects

_LEAST = 2
_SERVERS = ("Deployment", "StatefulSet")


def _of(stack: Sequence[Resource], *kinds: str) -> Iterator[Resource]:
    """Yield the Kubernetes resources of some kinds, others' that are patched not; none where all may be thrown away."""
    if is_durable(stack):
        ours = (one for one in stack if one.type.startswith("kubernetes:") and not one.patch)
        yield from (one for one in ours if one.kind in kinds)


def _selecting(stack: Sequence[Resource], kind: str, selector: str, server: Resource) -> list[Resource]:
    """Return the resources of a kind whose selector, at a path, finds the pods of a server."""
    labels = server.at("spec.template.metadata.labels")
    beside = [one for one in _of(stack, kind) if one.at("metadata.namespace") == server.at("metadata.namespace")]
    return [one for one in beside if selects(one.at(selector), labels)]


def _replicas(stack: Sequence[Resource], server: Resource) -> tuple[str, Any]:
    """Return how many pods a server has at least, after the place that says so."""
    for scaler in _of(stack, "HorizontalPodAutoscaler"):
        target = [scaler.at(path) for path in ("metadata.namespace", "spec.scaleTargetRef.kind")]
        if [*target, scaler.at("spec.scaleTargetRef.name")] == [
            server.at("metadata.namespace"),
            server.kind,
            server.at("metadata.name"),
        ]:
            return "minReplicas of its HorizontalPodAutoscaler", scaler.at("spec.minReplicas")
    return "spec.replicas", server.at("spec.replicas")


@stack_rule
def durable_servers_are_two_or_more(stack: Sequence[Resource]) -> Problems:
    """kube-score deployment replicas: a server outlives the loss of a pod."""
    for server in _of(stack, *_SERVERS):
        path, replicas = _replicas(stack, server)
        if replicas is not UNKNOWN and (as_number(replicas) or 0) < _LEAST:
            yield server, f"{path} is {said(replicas)}: set mlflow:replicas to {_LEAST} or more"


@stack_rule
def durable_servers_have_a_disruption_budget(stack: Sequence[Resource]) -> Problems:
    """kube-score PodDisruptionBudget: emptying a node never ends all pods of a server at once."""
    for server in _of(stack, *_SERVERS):
        budgets = _selecting(stack, "PodDisruptionBudget", "spec.selector", server)
        if not budgets:
            yield server, "no PodDisruptionBudget selects its pods: add one to its namespace"
        for budget in budgets:
            path = _ends_all(budget, _replicas(stack, server)[1])
            if path is not None:
                yield budget, f"{path} is {said(budget.at(path))}, so all pods may end: set spec.maxUnavailable to 1"


def _ends_all(budget: Resource, replicas: object) -> str | None:
    """Return the path by which a budget lets all pods of a server end; that there is only one is another rule's."""
    if budget.at("spec.minAvailable") in (0, "0", "0%"):
        return "spec.minAvailable"
    most, pods = budget.at("spec.maxUnavailable"), max(as_number(replicas) or 0, _LEAST)
    if most == "100%" or (replicas is not UNKNOWN and _ended(most, pods) >= pods):
        return "spec.maxUnavailable"
    return None


def _ended(most: object, pods: float) -> float:
    """Return how many pods a number or a percentage is; Kubernetes documentation, disruption budgets: rounded up."""
    share = as_number(str(most).removesuffix("%")) or 0
    return ceil(share * pods / 100) if str(most).endswith("%") else share


@stack_rule
def durable_servers_have_a_network_policy(stack: Sequence[Resource]) -> Problems:
    """CIS Kubernetes 5.3.2: who may call a server, or on which ports, is said."""
    for server in _of(stack, *_SERVERS):
        policies = [
            policy
            for policy in _selecting(stack, "NetworkPolicy", "spec.podSelector", server)
            # Kubernetes documentation, NetworkPolicy: where no types are named, Ingress is one of them.
            if "Ingress" in (items(policy.at("spec.policyTypes")) or ["Ingress"])
        ]
        if not policies:
            yield server, "no NetworkPolicy selects its pods: add one to its namespace"
        for policy in policies:
            for number, entry in enumerate(items(policy.at("spec.ingress"))):
                if _lets_in_everybody(entry):
                    yield policy, f"spec.ingress[{number}] lets in everybody: name ports, or who calls in `from`"


def _lets_in_everybody(entry: object) -> bool:
    """Tell whether a rule names neither who calls nor ports; among others, one without limits makes up for them."""
    callers, ports = at(entry, "from"), at(entry, "ports")
    anybody = not callers or any(_is_everybody(peer) for peer in items(callers))
    return anybody and (not ports or any(at(port, "port") is None for port in items(ports)))


def _is_everybody(peer: object) -> bool:
    everywhere = at(peer, "ipBlock.cidr") in ("0.0.0.0/0", "::/0")
    return everywhere or (at(peer, "namespaceSelector") == {} and not at(peer, "podSelector"))


@stack_rule
def durable_images_have_a_digest(stack: Sequence[Resource]) -> Problems:
    """Kubernetes documentation, images: named by its content, an image can't be exchanged."""
    for workload in stack if is_durable(stack) else ():
        for name, container in containers(workload) if makes_pods(workload) else ():
            image = at(container, "image")
            if image is not UNKNOWN and not has_digest(str(image)):
                yield workload, f"{name} has the image {said(image)}: write <name>@sha256:<digest> into mlflow:image"


POLICIES = (
    durable_servers_are_two_or_more,
    durable_servers_have_a_disruption_budget,
    durable_servers_have_a_network_policy,
    durable_images_have_a_digest,
)
