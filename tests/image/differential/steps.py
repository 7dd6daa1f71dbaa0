"""What the servers are asked: steps of calls/*.yaml, each a call that may keep something of its answer for later ones.

A world is one run of a file's steps, with names of its own. `<name>` stands for what was kept under that name, in the
route's path as in everything that is sent; `<world>` is the world's own name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import yaml
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.image.routes import Route

CALLS = Path(__file__).parent / "calls"
WORLDS = ("api", "ajax-api")
"""Each file's steps are run in both: in the second, routes below /ajax-api take the place of those below /api."""
Kept: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call; its fields are the keys of a step in YAML."""

    call: str
    """Method and route, such as `GET /api/2.0/mlflow/logged-models/<model_id>`."""
    label: str = ""
    """What sets it apart from other calls of the route, where an answer of it alone may differ."""
    place: str = ""
    """File and number, for people."""
    path: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Parameters of the path that are called otherwise than what was kept."""
    query: Mapping[str, Any] | None = None
    json: Any = None
    form: Mapping[str, Any] | None = None
    text: str | None = None
    otlp: Mapping[str, Any] | None = None
    """A request of OTLP, sent as protobuf."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    login: Sequence[str] | None = None
    """Name and password of whom to be instead of the administrator."""
    keep: Mapping[str, str] = field(default_factory=dict[str, str])
    """Path within a JSON answer, or a pattern with one group for a text, by name."""
    status: int | None = None
    """Of an answer that is no success, by intention; `because` says why."""
    because: str | None = None

    @property
    def route(self) -> Route:
        """Method and path."""
        method, path = self.call.split(" ")
        return method, path

    @property
    def title(self) -> str:
        """What a reviewed difference calls it."""
        return f"{self.call} ({self.label})" if self.label else self.call

    def within(self, world: str, known: set[Route]) -> "Step":
        """Return this step as it is in a world of a server that knows these routes."""
        method, path = self.route
        other = re.sub("^/api/", f"/{world}/", path)
        return replace(self, call=f"{method} {other}") if (method, other) in known else self

    def ask(self, client: httpx.Client, kept: Kept) -> httpx.Response:
        """Make the call and keep what is wanted of its answer; what is not in there is missed by later steps."""
        method, path = self.route
        answer = client.request(
            method,
            filled(path, {**kept, **filled(self.path, kept)}),
            params=filled(self.query, kept),
            headers=filled(self.headers, kept),
            auth=client.auth if self.login is None else httpx.BasicAuth(*filled(self.login, kept)),
            **self._body(kept),
        )
        for name, where in self.keep.items():
            found = _found(answer, where)
            if found is not None:
                kept[name] = found
        return answer

    def _body(self, kept: Kept) -> dict[str, Any]:
        if self.otlp is not None:
            message = ParseDict(filled(self.otlp, kept), ExportTraceServiceRequest())
            return {"content": message.SerializeToString()}
        if self.json is not None:
            return {"json": filled(self.json, kept)}
        if self.text is not None:
            return {"content": filled(self.text, kept)}
        return {"data": filled(self.form, kept)}


def steps() -> dict[str, list[Step]]:
    """Return all steps by their file."""
    return {file.stem: list(_read(file)) for file in sorted(CALLS.glob("*.yaml"))}


def _read(file: Path) -> Iterator[Step]:
    for number, step in enumerate(yaml.safe_load(file.read_text()), start=1):
        yield Step(place=f"{file.stem} {number}", **step)


def filled(value: Any, kept: Kept) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Put what was kept in place of its name; alone in its place it keeps its type."""
    if isinstance(value, dict):
        return {filled(key, kept): filled(inner, kept) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, kept) for inner in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"<(\w+)>", value)
    if whole and whole[1] in kept:
        return kept[whole[1]]
    return re.sub(r"<(\w+)>", lambda name: str(kept.get(name[1], name[0])), value)


def _found(answer: httpx.Response, where: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    if "json" not in answer.headers.get("content-type", ""):
        match = re.search(where, answer.text)
        return match[1] if match else None
    value = answer.json()
    for key in where.split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value
