"""Objects: every request that touches one is handed on to the emulator, bodies streamed in both directions.

The bucket must exist here; what the emulator would silently ignore is refused by name instead. Answers that are JSON
are held against Google's description before they go out.
"""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from local.gcp.app import Call, StreamHandler, check_answer, checked_body
from local.gcp.emulator import Emulator
from local.gcp.errors import ApiError, not_found, not_implemented, precondition_failed
from local.gcp.grants import Grants
from local.gcp.listing import paged
from local.gcp.storage import Buckets
from local.gcp.tokens import Tokens

Json: TypeAlias = dict[str, Any]

_NEEDED = {
    "insert": "create",
    "get": "get",
    "list": "list",
    "patch": "update",
    "delete": "delete",
    "copy": "create",
    "rewrite": "create",
    "compose": "create",
}
"""By method, the permission that it needs in the bucket that it changes, or else reads."""
_WITH_BODY = {"storage.objects.patch", "storage.objects.copy", "storage.objects.rewrite", "storage.objects.compose"}
_IGNORED_BY_EMULATOR = {
    *("startOffset", "endOffset", "includeTrailingDelimiter", "kmsKeyName", "predefinedAcl"),
    *("destinationKmsKeyName", "destinationPredefinedAcl", "contentEncoding"),
}
_NO_BUCKETS = {"storage", "upload", "download", "resumable", "batch", "b"}
"""Where the paths of the JSON API begin."""
_XML_QUERY = {"generation", "response-content-disposition"}
_XML_HEADERS = (
    "content-",
    "cache-",
    *(f"x-goog-{name}" for name in ("acl", "copy", "encr", "hash", "if", "meta", "res")),
)
_OF_ANY_BODY = {"content-length", "content-type"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}
_CHUNK = 1 << 20


class Objects:
    """Hands object requests on."""

    def __init__(self, buckets: Buckets, emulator: Emulator, grants: Grants, tokens: Tokens) -> None:
        self._buckets = buckets
        self._emulator = emulator
        self._grants = grants
        self._tokens = tokens
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(600, connect=10))
        del self._client.headers["accept-encoding"]  # what the caller accepts counts

    def streams(self) -> dict[str, StreamHandler]:
        """Answer the handlers by method id."""
        return {f"storage.objects.{name}": self._documented for name in _NEEDED}

    async def plain(self, request: Request, path: str) -> Response | None:
        """Answer GET, HEAD and PUT of /bucket/object, the path of the XML API; None where there is no such bucket."""
        bucket, _, name = path.lstrip("/").partition("/")
        if bucket in _NO_BUCKETS or not self._buckets.exists(unquote(bucket)):
            return None
        if not name or request.method not in ("GET", "HEAD", "PUT"):
            raise not_implemented(f"{request.method} of the XML API")
        headers = request.headers if request.method == "PUT" else ()
        asked = {*request.query_params, *(header for header in headers if header.startswith(_XML_HEADERS))}
        if unknown := asked - _XML_QUERY - _OF_ANY_BODY:
            raise not_implemented(f"{min(unknown)} of the XML API")
        new = self._require(request, unquote(bucket), "create" if request.method == "PUT" else "get")
        return await self._hand_on(request, None, new=new)

    async def close(self) -> None:
        """Close the connections to the emulator."""
        await self._client.aclose()

    async def _documented(self, request: Request, call: Call) -> Response:
        new = False
        needed = _NEEDED[call.method.id.rpartition(".")[2]]
        for name in ("sourceBucket", "bucket", "destinationBucket"):
            if name in call.path:
                self._buckets.find(call.path[name])
                new = self._require(request, call.path[name], "get" if name == "sourceBucket" else needed)
        if call.method.id == "storage.objects.compose":
            self._require(request, call.path["destinationBucket"], "get")
        for name in call.query:
            if name in _IGNORED_BY_EMULATOR:
                raise not_implemented(f"query parameter {name} of {call.method.id}")
        if call.method.id in _WITH_BODY and call.kind == "rpc":
            await checked_body(request, call.method)
        return await self._hand_on(request, call, new=new)

    def _require(self, request: Request, bucket: str, permission: str) -> bool:
        """Raise ApiError 403 where a service account has no grant, 401 where its token is none.

        Tell whether it may make new objects only: to replace one is to delete it.
        """
        account = self._tokens.account(request)
        if account is not None and not self._grants.allow(account, bucket, permission):
            raise _lacking(permission, bucket)
        return account is not None and permission == "create" and not self._grants.allow(account, bucket, "delete")

    async def _hand_on(self, request: Request, call: Call | None, *, new: bool) -> Response:
        if "x-http-method-override" in request.headers:
            raise not_implemented("header X-HTTP-Method-Override")
        headers = [(k, v) for k, v in request.headers.raw if k.decode() not in _HOP_BY_HOP]
        path = request.scope["raw_path"].decode("ascii")
        if call is not None and call.kind == "upload":
            path = path.removeprefix("/resumable")
        query = f"{request.url.query}&ifGenerationMatch=0" if new else request.url.query
        outgoing = self._client.build_request(
            "GET" if request.method == "HEAD" else request.method,
            httpx.URL(self._emulator.url).copy_with(raw_path=f"{path}?{query}".encode()),
            headers=headers,
            content=request.stream() if _has_body(request) else None,
        )
        try:
            incoming = await self._client.send(outgoing, stream=True)
        except httpx.TransportError as error:
            raise ApiError(503, "backendError", f"the object emulator does not answer: {error}") from error
        if incoming.status_code == HTTPStatus.PRECONDITION_FAILED and new:
            await incoming.aclose()
            raise _lacking("delete", "the object that is there")
        if incoming.status_code >= HTTPStatus.BAD_REQUEST:
            raise await _refusal(incoming)
        if call is not None and _described(call, incoming):
            return await self._json(request, call, incoming)
        response = StreamingResponse(_drain(incoming), status_code=incoming.status_code)
        response.raw_headers = [(k, v) for k, v in incoming.headers.raw if k.decode().lower() not in _HOP_BY_HOP]
        if response.status_code == HTTPStatus.PERMANENT_REDIRECT and request.headers.get("x-guploader-no-308") == "yes":
            response.status_code = HTTPStatus.OK  # what the client for Go waits for
            response.headers["x-http-status-code-override"] = "308"
        return response

    async def _json(self, request: Request, call: Call, incoming: httpx.Response) -> Response:
        """Hold a JSON answer against the description."""
        answer: Json = json.loads(await incoming.aread())
        await incoming.aclose()
        if call.method.id == "storage.objects.list":
            answer = paged(answer, call.query)
        for described in (answer, answer.get("resource", {}), *answer.get("items", [])):
            if described.get("kind") == "storage#object":
                described.update(_links(described, str(request.base_url)))
        check_answer(call.method, answer)
        return JSONResponse(answer, incoming.status_code)


def _lacking(permission: str, where: str) -> ApiError:
    denied = f"Permission 'storage.objects.{permission}' denied on {where} (or it may not exist)."
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", denied)


def _described(call: Call, incoming: httpx.Response) -> bool:
    """Tell whether an answer is a description, and not the content of an object."""
    content = call.kind == "download" or call.query.get("alt") == "media"
    return not content and incoming.headers.get("content-type", "").startswith("application/json")


def _links(described: Json, base_url: str) -> Json:
    """Answer where an object is, as its client reaches us; the emulator neither knows that nor quotes names."""
    path = f"storage/v1/b/{described['bucket']}/o/{quote(described['name'], safe='')}"
    content = f"{base_url}download/{path}?generation={described['generation']}&alt=media"
    return {"selfLink": f"https://www.googleapis.com/{path}", "mediaLink": content}


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


async def _drain(incoming: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in incoming.aiter_raw(_CHUNK):
            yield chunk
    finally:
        await incoming.aclose()


async def _refusal(incoming: httpx.Response) -> ApiError:
    content = (await incoming.aread()).decode(errors="replace")
    await incoming.aclose()
    if incoming.status_code == HTTPStatus.NOT_FOUND:
        return not_found("No such object.")
    if incoming.status_code == HTTPStatus.PRECONDITION_FAILED:
        return precondition_failed("At least one of the pre-conditions you specified did not hold.")
    if incoming.status_code == HTTPStatus.NOT_IMPLEMENTED:
        return not_implemented(f"{incoming.request.method} {incoming.request.url.path}")
    return ApiError(incoming.status_code, "invalid", content or "the object emulator refused the request")
