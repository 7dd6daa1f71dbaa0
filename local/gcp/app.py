"""The HTTP side: finds the documented method, holds request and answer against its description, calls its handler.

Knows nothing of what the methods do. Handlers of ordinary methods are plain functions and run on worker threads;
those that read a stream are coroutines.
"""

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.gcp.discovery import SERVICES, Description, Method, Route
from local.gcp.errors import ApiError, invalid, not_found, not_implemented

Json: TypeAlias = dict[str, Any]
log = logging.getLogger(__name__)

_DOUBLED_VERSION = re.compile(
    r"^(/sql/v1beta4|/(?:iam|cloudresourcemanager|servicenetworking)/v1)(/sql/v1beta4|/v1)(?=/)"
)
_UPLOAD_PARAMETERS = {"upload_id"}  # part of the upload protocol, in no description


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that fits its description: path and query parameters, where it came to, and its body.

    A repeated parameter has its values with commas between. `caller` is the service account that asks, None for the
    person at the machine.
    """

    method: Method
    kind: str
    path: dict[str, str]
    query: dict[str, str]
    base_url: str
    caller: str | None
    request: Request
    body: Json = field(default_factory=dict[str, Any])


Handler: TypeAlias = Callable[[Call], Json | Response | None]
StreamHandler: TypeAlias = Callable[[Call], Awaitable[Json | Response]]


class Api:
    """Google's documented methods as one ASGI endpoint.

    `handlers` and `streams` are keyed by method id; `plain` takes requests of no documented path (objects by their
    plain /bucket/object path) and answers None to those it does not know. `caller` tells who asks, and raises ApiError
    where they may not call the method.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        streams: Mapping[str, StreamHandler],
        plain: Callable[[Request, str], Awaitable[Response | None]],
        caller: Callable[[Request, Method, Mapping[str, str]], str | None],
    ) -> None:
        self._handlers = handlers
        self._streams = streams
        self._plain = plain
        self._caller = caller
        descriptions = [(Description(name), mount) for name, mount in SERVICES.items()]
        methods = [(method, mount) for description, mount in descriptions for method in description.methods]
        unknown = (set(handlers) | set(streams)) - {method.id for method, _ in methods}
        if unknown:
            raise ValueError(f"handlers of methods that no description knows: {sorted(unknown)}")
        routes = [route for method, mount in methods for route in method.routes(mount)]
        self._routes = sorted(routes, key=lambda route: -route.weight)
        self._served = {"batch", *(route.pattern.pattern.split("/")[1] for route in routes)}

    async def __call__(self, request: Request) -> Response:
        """Answer one request, and log it in one line."""
        started = time.monotonic()
        name = f"{request.method} {request.url.path}"
        try:
            name, answer = self._dispatch(request)
            response = await answer
        except ApiError as error:
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log.warning("%s: %s", name, error.message)
            response = JSONResponse(error.body(), status_code=error.status)
            if error.status == HTTPStatus.NOT_MODIFIED:
                response = Response(status_code=error.status)
        except Exception as error:
            log.exception("%s failed", name)
            body = ApiError(500, "backendError", f"{name}: {type(error).__name__}: {error}").body()
            response = JSONResponse(body, status_code=500)
        log.info("%s %d %.0f ms", name, response.status_code, 1000 * (time.monotonic() - started))
        return response

    def _dispatch(self, request: Request) -> tuple[str, Awaitable[Response]]:
        """Name what is asked for, and begin to answer it."""
        if "x-http-method-override" in request.headers:
            raise not_implemented("header X-HTTP-Method-Override")
        path = _DOUBLED_VERSION.sub(r"\1", request.scope["raw_path"].decode("ascii"))
        found = self._find(request.method, path)
        if found is None:
            return "object by its path", self._undocumented(request, path)
        return found[0].method.id, self._documented(request, *found)

    async def _undocumented(self, request: Request, path: str) -> Response:
        response = await self._plain(request, path)
        if response is None:
            name = f"{request.method} {path}"
            if path.split("/")[1] in self._served:
                raise not_implemented(name)
            raise not_found(f"{name} is in none of the API descriptions")
        return response

    def _find(self, http_method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route in self._routes:
            match = route.pattern.fullmatch(path) if route.http_method == http_method else None
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    async def _documented(self, request: Request, route: Route, path: dict[str, str]) -> Response:
        method = route.method
        caller = self._caller(request, method, path)
        stream, handler = self._streams.get(method.id), self._handlers.get(method.id)
        if stream is not None:
            answer = await stream(_call(request, route, path, caller))
        elif handler is not None:
            call = replace(_call(request, route, path, caller), body=await checked_body(request, method))
            answer = await run_in_threadpool(handler, call)
        else:
            raise not_implemented(method.id)
        if answer is None:
            return Response(status_code=204)
        if isinstance(answer, Response):
            return answer
        _check_answer(method, answer)
        return JSONResponse(answer)


def _call(request: Request, route: Route, path: dict[str, str], caller: str | None) -> Call:
    return Call(
        method=route.method,
        kind=route.kind,
        path=path,
        query=_checked_query(request, route),
        base_url=str(request.base_url),
        caller=caller,
        request=request,
    )


async def checked_body(request: Request, method: Method) -> Json:
    """Read the body as JSON and hold it against the description.

    Raises ApiError 400 where it does not fit.
    """
    raw = await request.body()
    try:
        body: Any = await request.json() if raw else {}
    except (ValueError, RecursionError) as error:
        raise invalid(f"{method.id}: the body is not JSON: {error}") from error
    return fitting(method, body)


def fitting(method: Method, body: Any) -> Json:  # noqa: ANN401 - any JSON value
    """Hold a body against the description, and answer it in Google's form; ApiError 400 where it does not fit."""
    try:
        misfit = method.request_misfit(body)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise invalid(f"{method.id}: the body has half a character: {error}") from error
    if misfit:
        raise invalid(f"Invalid JSON payload received for {method.id}: {misfit}")
    return method.normal(body)


def _check_answer(method: Method, answer: Json) -> None:
    """Hold an answer against the description; ApiError 500 naming the place, since the fault is ours."""
    misfit = method.answer_misfit(answer)
    if misfit:
        raise ApiError(500, "backendError", f"the stand-in's answer to {method.id} does not fit: {misfit}")


def _checked_query(request: Request, route: Route) -> dict[str, str]:
    known = route.method.parameters
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in _UPLOAD_PARAMETERS and route.kind == "upload":
            continue
        if name not in known:
            raise invalid(f"{route.method.id} has no query parameter {name!r}")
        if not known[name].pattern.fullmatch(value):
            raise invalid(f"{route.method.id}: {value!r} is no value of query parameter {name!r}")
        if name in query and not known[name].repeated:
            raise invalid(f"{route.method.id}: query parameter {name!r} is given twice")
        query[name] = f"{query[name]},{value}" if name in query else value
    missing = [name for name, parameter in known.items() if parameter.required and name not in query]
    if missing:
        raise invalid(f"{route.method.id}: required query parameter {missing[0]!r} is missing")
    return query
