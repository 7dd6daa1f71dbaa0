"""Google's published API descriptions, read as routes and as JSON Schema.

Owns the translation only: which methods are served, and what they do, is for the caller. The descriptions are the
files that google-api-python-client carries (https://developers.google.com/discovery/v1/reference/apis).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, TypeAlias, cast

from jsonschema import Draft202012Validator

Json: TypeAlias = dict[str, Any]

SERVICES = {
    "sqladmin.v1beta4": "/",
    "storage.v1": "/",
    "iam.v1": "/iam/",
    "cloudresourcemanager.v1": "/cloudresourcemanager/",
    "compute.v1": "/",
    "servicenetworking.v1": "/servicenetworking/",
}
"""Description to the path under which it is served here; at Google each has a host of its own."""

_FORMATS = {
    "int32": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "byte": {"type": "string", "pattern": r"^[A-Za-z0-9+/_-]*={0,2}$"},
    "date-time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
    "google-datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
}
_PROSE = {"description", "enumDescriptions", "enumDeprecated", "scopes", "flatPath", "parameterOrder"}
_LONG = {"int64": r"^-?\d{1,19}$", "uint64": r"^\d{1,20}$"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A query parameter: allowed values as a pattern, and whether it may be given more than once."""

    pattern: re.Pattern[str]
    repeated: bool
    required: bool


@dataclass(frozen=True, kw_only=True)
class Route:
    """One HTTP method and path of a documented method; `kind` is "rpc", "upload" or "download"."""

    http_method: str
    pattern: re.Pattern[str]
    weight: int
    kind: str
    method: "Method"


class Method:
    """A documented method, its id as Google writes it ("sql.instances.insert")."""

    def __init__(self, description: "Description", body: Json) -> None:
        self._description = description
        self._body = body
        self.id: str = body["id"]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Query parameters of this method and those common to all of the service."""
        own: Json = {name: p for name, p in self._body.get("parameters", {}).items() if p["location"] == "query"}
        return {name: _parameter(p) for name, p in {**self._description.parameters, **own}.items()}

    def request_misfit(self, body: Json) -> str | None:
        """Say where a request's body does not fit the description; None when it fits."""
        return self._misfit(self._body.get("request"), without_nulls(body), strict=False)

    def answer_misfit(self, body: Json) -> str | None:
        """Say where an answer does not fit the description; None when it fits."""
        return self._misfit(self._body.get("response"), body, strict=True)

    def _misfit(self, schema: Json | None, body: Json, *, strict: bool) -> str | None:
        if schema is None:
            return f"{self.id} has no body" if body else None
        error = next(iter(self._description.validator(schema["$ref"], strict=strict).iter_errors(body)), None)
        return None if error is None else f"{error.json_path.removeprefix('$.')}: {error.message}"

    def normal(self, body: Json) -> Json:
        """Answer a request's body with 64-bit integers as strings, the form in which Google answers them."""
        return self._description.normal(self._body.get("request", {}), body)

    def routes(self, mount: str) -> Iterator[Route]:
        """Yield every path under which the method is reached."""
        service = self._description.service_path
        yield self._route("rpc", self._body["httpMethod"], mount + service + self._body["path"])
        if self._body.get("useMediaDownloadService"):
            yield self._route("download", "GET", f"{mount}download/{service}{self._body['path']}")
        if self._body.get("supportsMediaUpload"):
            for protocol in self._body["mediaUpload"]["protocols"].values():
                for http_method in ("POST", "PUT", "DELETE"):  # a resumable upload begins, goes on, or is cancelled
                    yield self._route("upload", http_method, mount + protocol["path"].lstrip("/"))

    def _route(self, kind: str, http_method: str, template: str) -> Route:
        pattern, weight = "", 0
        for literal, plus, name in re.findall(r"([^{]*)(?:\{(\+?)(\w+)\})?", template):
            pattern += re.escape(literal)
            weight += len(literal)
            if name:
                inner: str = self._body["parameters"][name].get("pattern", "") if plus else ""
                pattern += f"(?P<{name}>{inner.strip('^$') or '[^/]+'})"
        return Route(http_method=http_method, pattern=re.compile(pattern), weight=weight, kind=kind, method=self)


class Description:
    """One API description ("sqladmin.v1beta4")."""

    def __init__(self, name: str) -> None:
        folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
        self._document: Json = json.loads((folder / f"{name}.json").read_text(), object_hook=_without_prose)
        self._validators: dict[tuple[str, bool], Draft202012Validator] = {}
        self.parameters: Json = self._document["parameters"]
        self.service_path: str = self._document["servicePath"]
        self.methods = [Method(self, body) for body in _methods(self._document)]

    def validator(self, name: str, *, strict: bool) -> Draft202012Validator:
        """Validate against schema `name`; `strict` wants 64-bit integers as strings, as Google answers them."""
        if (name, strict) not in self._validators:
            definitions = {key: _convert(value, strict=strict) for key, value in self._document["schemas"].items()}
            schema: Json = {"$ref": f"#/$defs/{name}", "$defs": definitions}
            self._validators[name, strict] = Draft202012Validator(schema)
        return self._validators[name, strict]

    def normal(self, schema: Json, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Answer `value` with the 64-bit integers that `schema` knows as strings."""
        if "$ref" in schema:
            schema = self._document["schemas"][schema["$ref"]]
        if isinstance(value, dict):
            properties, extra = schema.get("properties", {}), schema.get("additionalProperties", {})
            fields = cast("Json", value).items()
            return {key: self.normal(properties.get(key, extra), item) for key, item in fields}
        if isinstance(value, list):
            return [self.normal(schema.get("items", {}), item) for item in cast("list[Any]", value)]
        is_long = isinstance(value, int) and schema.get("format") in _LONG
        return str(value) if is_long else value


def _without_prose(node: Json) -> Json:
    """Leave out what is written for people: most of a description, and nothing that is checked."""
    return {key: value for key, value in node.items() if key not in _PROSE or isinstance(value, dict)}


def _methods(node: Json) -> Iterator[Json]:
    yield from node.get("methods", {}).values()
    for child in node.get("resources", {}).values():
        yield from _methods(child)


def _convert(schema: Json, *, strict: bool) -> Json:
    """Translate a schema of the description language to JSON Schema; unknown fields are misfits."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kind: str = schema["type"]
    form: str = schema.get("format", "")
    if kind == "any":
        return {}
    if kind == "array":
        return {"type": "array", "items": _convert(schema["items"], strict=strict)}
    if kind == "object":
        extra = schema.get("additionalProperties")
        properties: Json = schema.get("properties", {})
        return {
            "type": "object",
            "properties": {name: _convert(value, strict=strict) for name, value in properties.items()},
            "additionalProperties": False if extra is None else _convert(extra, strict=strict),
        }
    if form in _LONG:
        return {"type": "string" if strict else ["string", "integer"], "pattern": _LONG[form]}
    converted: Json = dict(_FORMATS.get(form, {"type": kind}))
    if "enum" in schema:
        converted["enum"] = schema["enum"]
    return converted


def _parameter(body: Json) -> Parameter:
    if body["type"] == "boolean":
        pattern = "(?i)true|false"
    elif body["type"] == "integer" or body.get("format") in _LONG:
        pattern = r"-?\d{1,19}"
    elif "enum" in body:
        pattern = "|".join(re.escape(value) for value in body["enum"])
    else:
        pattern = body.get("pattern", "(?s).*")
    return Parameter(
        pattern=re.compile(pattern), repeated=body.get("repeated", False), required=body.get("required", False)
    )


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Leave nulls out: Google reads them as absent, and as "delete this" in a PATCH."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in cast("Json", value).items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[Any]", value)]
    return value
