"""What holds for pods only where data must last: more than one, fixed to the byte, not open to all of the cluster."""

from collections.abc import Iterator, Sequence
from typing import Any

from policy.durable import is_durable
from policy.images import has_digest
from policy.pods import containers, makes_pods
from policy.resource import UNKNOWN, Resource, said
from policy.rule import stack_rule

_LEAST = 2
_DEPLOYMENT = "kubernetes:apps/v1:Deployment"

Problems = Iterator[tuple[Resource, str]]


def _of(stack: Sequence[Resource], *kinds: str) -> Iterator[Resource]:
    """Yield the Kubernetes resources of some kinds, none where the stack may be thrown away."""
    if is_durable(stack):
        yield from (one for one in stack if one.type.startswith("kubernetes:") and one.kind in kinds)


def _selected(pods_of: Resource, by: Resource, selector: str) -> bool:
    """Tell whether a selector of `by` finds the pods of a Deployment; an empty one finds all of its namespace."""
    if by.at("metadata.namespace") != pods_of.at("metadata.namespace"):
        return False
    wanted: dict[str, Any] = by.at(f"{selector}.matchLabels") or {}
    labels: dict[str, Any] = pods_of.at("spec.template.metadata.labels") or {}
    return UNKNOWN in (wanted, labels) or wanted.items() <= labels.items()


@stack_rule
def durable_servers_are_two_or_more(stack: Sequence[Resource]) -> Problems:
    """kube-score deployment replicas: a server outlives the loss of a pod."""
    scaled = {
        (scaler.at("metadata.namespace"), scaler.at("spec.scaleTargetRef.name")): scaler.at("spec.minReplicas")
        for scaler in _of(stack, "HorizontalPodAutoscaler")
    }
    for server in _of(stack, "Deployment"):
        place = (server.at("metadata.namespace"), server.at("metadata.name"))
        path = "minReplicas of its HorizontalPodAutoscaler" if place in scaled else "spec.replicas"
        replicas = scaled[place] if place in scaled else server.at("spec.replicas")
        if replicas is not UNKNOWN and (replicas or 1) < _LEAST:
            yield server, f"{path} is {said(replicas)}: set mlflow:replicas to {_LEAST} or more"


@stack_rule
def durable_servers_have_a_disruption_budget(stack: Sequence[Resource]) -> Problems:
    """kube-score PodDisruptionBudget: emptying a node never ends all pods of a server at once."""
    budgets = list(_of(stack, "PodDisruptionBudget"))
    for server in _of(stack, "Deployment"):
        if not any(_selected(server, budget, "spec.selector") for budget in budgets):
            yield server, "no PodDisruptionBudget selects its pods: add one to its namespace"


@stack_rule
def durable_servers_have_a_network_policy(stack: Sequence[Resource]) -> Problems:
    """CIS Kubernetes 5.3.2: who may call a server, and whom it may call, is said."""
    policies = list(_of(stack, "NetworkPolicy"))
    for server in _of(stack, "Deployment"):
        if not any(_selected(server, policy, "spec.podSelector") for policy in policies):
            yield server, "no NetworkPolicy selects its pods: add one to its namespace"


@stack_rule
def durable_images_have_a_digest(stack: Sequence[Resource]) -> Problems:
    """Kubernetes documentation, images: named by its content, an image can't be exchanged."""
    for workload in stack if is_durable(stack) else ():
        for name, container in containers(workload) if makes_pods(workload) else ():
            image = container.get("image")
            if image is not UNKNOWN and not has_digest(str(image)):
                yield workload, f"{name} has the image {image}: write <name>@sha256:<digest> into mlflow:image"


POLICIES = (
    durable_servers_are_two_or_more,
    durable_servers_have_a_disruption_budget,
    durable_servers_have_a_network_policy,
    durable_images_have_a_digest,
)
