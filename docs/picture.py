"""The picture of the architecture: components as frames, their resources in them, and what each hands to the next.

Owns what is drawn and what would only clutter. Leaves where the graph comes from to `docs.graph`, and the layout to
graphviz.
"""

import re
from collections.abc import Iterator
from html import escape

from docs.arrows import Graph, arrows, requests, within
from docs.graph import Resource
from local.command import output
from local.packages import require

# Its name, its colour, and whether names stand at the top or the bottom of its frames: out of the way of arrows.
LAYERS = {"gcp": ("Google Cloud", "#e8f0fe", "t"), "kubernetes": ("Kubernetes", "#f3e8fd", "b")}
_STYLE = """\
  graph [compound=true labeljust=l fontname="Helvetica" fontsize=13 nodesep=0.2 ranksep=0.55 bgcolor=white pad=0.15]
  node [shape=box style="rounded,filled" fillcolor=white color="#5f6368" fontname="Helvetica" fontsize=11 height=0.4]
  edge [color="#5f6368" arrowsize=0.7]"""


def draw(graph: Graph) -> str:
    """Return the picture (SVG); the same graph and graphviz give the same picture.

    Raises:
        local.errors.UserError: graphviz is missing, and cannot be installed from here.

    """
    require({"dot": "graphviz"})
    svg = output(["dot", "-Tsvg"], stdin=dot(graph))
    return re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)


def dot(graph: Graph) -> str:
    """Return the picture in graphviz's language."""
    frames = [line for layer in LAYERS for line in _layer(graph, layer)]
    return "\n".join(["digraph {", _STYLE, *frames, *_arrows(graph), "}"])


def title(resource: Resource) -> str:
    """Return the name that people know a resource by: its physical name, its role, or its name in the program."""
    inputs, name = resource.inputs, resource.urn.rpartition("::")[2]
    metadata = inputs.get("metadata", {})
    if metadata.get("annotations", {}).get("pulumi.com/autonamed"):
        return name
    names = (metadata.get("name"), inputs.get("name"), inputs.get("accountId"), inputs.get("role"))
    return next((str(found) for found in names if found), name)


def _id(resource: Resource) -> str:
    """Return what graphviz knows it by, and shows as its tooltip."""
    return resource.kind if resource.component else f"{resource.kind} {title(resource)}"


def _layer(graph: Graph, layer: str) -> Iterator[str]:
    name, colour, place = LAYERS[layer]
    yield f'subgraph "cluster {layer}" {{ label="{name}" labelloc={place}'
    yield f'style="rounded,filled" color="{colour}" fontsize=15'
    for resource in graph.values():
        if resource.type.startswith(f"mlflow:{layer}:") and resource.parent not in graph:
            yield from _frame(graph, resource)
    yield "}"


def _frame(graph: Graph, component: Resource) -> Iterator[str]:
    """Draw a component; a namespace in it is no box, but what the frame is called after."""
    inside = [resource for resource in graph.values() if resource.parent == component.urn]
    namespaces = [f", namespace {title(resource)}" for resource in inside if resource.kind == "Namespace"]
    label = "".join([component.kind, *namespaces])
    yield f'subgraph "cluster {_id(component)}" {{ label="{label}" style=rounded color="#9aa0a6" fontsize=13'
    for resource in inside:
        if resource.component:
            yield from _frame(graph, resource)
        elif _has_box(resource):
            yield f'"{_id(resource)}" [label=<<b>{escape(resource.kind)}</b><br/>{escape(title(resource))}>]'
    yield "}"


def _arrows(graph: Graph) -> Iterator[str]:
    for source, target in arrows(graph):
        yield _arrow(graph, source, target)
    for service, workload in requests(graph):
        yield _arrow(graph, workload, service, "dir=back style=dashed")


def _arrow(graph: Graph, source: str, target: str, style: str = "") -> str:
    """Draw an arrow; graphviz wants a resource at each end, and then cuts it off at the component's frame."""
    ends = [_end(graph, source), _end(graph, target)]
    frames = [
        f'{side}="cluster {_id(graph[urn])}"'
        for side, urn in (("ltail", source), ("lhead", target))
        if graph[urn].component
    ]
    return f'"{_id(ends[0])}" -> "{_id(ends[1])}" [{" ".join([*frames, style])}]'


def _end(graph: Graph, urn: str) -> Resource:
    """Return a resource itself, or for a component the one in it that needs none of the others."""
    if not graph[urn].component:
        return graph[urn]
    inside = [graph[name] for name in graph if within(graph, name, urn) and _has_box(graph[name])]
    return next(resource for resource in inside if resource.needs.isdisjoint(other.urn for other in inside))


def _has_box(resource: Resource) -> bool:
    return not resource.component and resource.kind != "Namespace"
