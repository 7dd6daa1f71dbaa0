"""Which of a graph's dependencies become arrows: what one resource hands to the next, said once.

A dependency that another one implies is no arrow, nor is one on the namespace, which is drawn as a frame. Where all
resources of a component need the same, or hand on to the same, one arrow from or to the component says so.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from docs.graph import Resource

Graph = Mapping[str, Resource]


def arrows(graph: Graph) -> list[tuple[str, str]]:
    """Return pairs of URNs, from what is needed to what needs it; either may be a component's."""
    pairs = {(need, urn) for urn in graph for need in _direct(graph, urn)}
    for component in graph:
        inside = {urn for urn in graph if graph[urn].parent == component}
        if len(inside) > 1:
            for other in {need for need, _ in pairs}:
                pairs = _together(pairs, {(other, urn) for urn in inside}, (other, component))
            for other in {urn for _, urn in pairs}:
                pairs = _together(pairs, {(urn, other) for urn in inside}, (component, other))
    return sorted(pairs)


def requests(graph: Graph) -> Iterator[tuple[str, str]]:
    """Return pairs of URNs, from each Service to what runs the pods that it selects."""
    for service in graph.values():
        labels = service.inputs.get("spec", {}).get("selector")
        for workload in graph.values():
            template = workload.inputs.get("spec", {}).get("template", {})
            if service.kind == "Service" and labels and labels == template.get("metadata", {}).get("labels"):
                yield service.urn, workload.urn


def within(graph: Graph, urn: str, component: str) -> bool:
    """Tell whether a resource is inside a component, however deep."""
    parent = graph[urn].parent
    return parent == component or (parent in graph and within(graph, parent, component))


def _direct(graph: Graph, urn: str) -> AbstractSet[str]:
    """Return what a resource needs, without what comes with something else that it needs."""
    needs = {need for need in graph[urn].needs if need in graph and graph[need].kind != "Namespace"}
    through = {need for need in needs if graph[need].parent != graph[urn].parent}
    through |= {inside for inside in graph if within(graph, inside, urn)}
    return {need for need in needs if not any(need in graph[other].needs for other in through)}


def _together(
    pairs: AbstractSet[tuple[str, str]], all_of: AbstractSet[tuple[str, str]], one: tuple[str, str]
) -> set[tuple[str, str]]:
    """Put one pair in the place of several, where all of them are there."""
    return {*(pairs - all_of), one} if all_of <= pairs else {*pairs}
