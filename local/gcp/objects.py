"""Objects as requests reach them: who may, what is asked, how it is answered. How they are kept, object_store knows.

What Google documents and this does not serve is refused by its name.
"""

import gzip
import re
import shutil
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import quote, unquote

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from local.gcp.app import Call, Handler, StreamHandler, checked_body, fitting
from local.gcp.discovery import Method, without_nulls
from local.gcp.errors import invalid, not_implemented
from local.gcp.grants import Grants
from local.gcp.object_store import (
    BUCKET,
    CHUNK,
    OBJECT,
    ONLY_NEW,
    SOFT_DELETED,
    ObjectStore,
    is_set,
    lacking,
    measured,
    require,
)
from local.gcp.store import Json, Store
from local.gcp.tokens import Tokens
from local.gcp.uploads import Uploads, cut, receive

_Answered = TypeVar("_Answered", bound=Json | Response | None)
_NEEDED = dict.fromkeys(("insert", "copy", "rewrite", "compose"), "create") | {
    **dict.fromkeys(("delete", "restore"), "delete"),
    "get": "get",
    "list": "list",
    "patch": "update",
}
"""By method, the permission that it needs in the bucket that it changes, or else reads; who may delete may restore."""
_UNSERVED = {
    *("kmsKeyName", "predefinedAcl", "destinationKmsKeyName", "destinationPredefinedAcl", "copySourceAcl"),
    *("includeTrailingDelimiter", "matchGlob", "filter", "restoreToken", "rewriteToken", "dropContextGroups"),
}
_NO_BUCKETS = {"storage", "upload", "download", "resumable", "batch", "b"}
"""Where the paths of the JSON API begin."""
_XML_SERVED = {"generation", "response-content-disposition", "content-length", "content-type"}
_XML_HEADERS = (
    "content-",
    "cache-",
    *(f"x-goog-{name}" for name in ("acl", "copy", "encr", "hash", "if", "meta", "res", "storage")),
)
_MOST_SOURCES = 32
_GZIP = b"\x1f\x8b"
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
"""What may be in the name of a header (RFC 9110)."""
_SAID = {f"Content-{field}": f"content{field}" for field in ("Disposition", "Language", "Type")} | {
    "Cache-Control": "cacheControl",
    "ETag": "etag",
    "X-Goog-Generation": "generation",
    "X-Goog-Metageneration": "metageneration",
    "X-Goog-Storage-Class": "storageClass",
    "X-Goog-Stored-Content-Length": "size",
}
"""By header of a download, the field that it says."""


class Objects:
    """Answers what is asked of objects."""

    def __init__(self, store: Store, objects: ObjectStore, grants: Grants, tokens: Tokens) -> None:
        self._store = store
        self._objects = objects
        self._uploads = Uploads(store, objects)
        self._grants = grants
        self._tokens = tokens

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        kept = self._objects
        served: dict[str, Handler] = {
            "get": self._get,
            "list": lambda call: kept.page(call.path["bucket"], call.query),
            "patch": lambda call: kept.change(call.path["bucket"], call.path["object"], call.query, call.body),
            "delete": lambda call: kept.delete(call.path["bucket"], call.path["object"], call.query),
            "copy": self._copy,
            "rewrite": self._rewrite,
            "restore": self._copy,
            "compose": self._compose,
        }
        return {f"storage.objects.{name}": partial(self._answer, answer) for name, answer in served.items()}

    def streams(self) -> dict[str, StreamHandler]:
        """Answer the handlers of uploads by method id."""
        return {"storage.objects.insert": self._insert}

    async def plain(self, request: Request, path: str) -> Response | None:
        """Answer GET, HEAD and PUT of /bucket/object, the path of the XML API; None where there is no such bucket."""
        bucket, _, name = (unquote(part) for part in path.lstrip("/").partition("/"))
        if bucket in _NO_BUCKETS or self._store.get(BUCKET, bucket) is None:
            return None
        writing = request.method == "PUT"
        if not name or request.method not in ("GET", "HEAD", "PUT"):
            raise not_implemented(f"{request.method} of the XML API")
        headers = [header for header in request.headers if header.startswith(_XML_HEADERS)]
        if unknown := {*request.query_params, *(headers if writing else ())} - _XML_SERVED:
            raise not_implemented(f"{min(unknown)} of the XML API")
        query = self._require(self._tokens.account(request), bucket, "create" if writing else "get")
        if not writing:
            return await run_in_threadpool(self._download, request, bucket, name)
        made = await self._receive(request, bucket, {"name": name}, query)
        return Response(headers={"ETag": made["etag"]})

    def _answer(self, answer: Handler, call: Call) -> Json | Response | None:
        """Answer a call that is served and granted, objects with where they are."""
        return _linked(answer(self._admit(call)), call)

    def _admit(self, call: Call) -> Call:
        """Refuse what is not served or not granted; answer the call under the condition that its caller is under."""
        if unserved := {name for name in _UNSERVED.intersection(call.query) if call.query[name] not in ("", "false")}:
            raise not_implemented(f"query parameter {min(unserved)} of {call.method.id}")
        query, needed = dict(call.query), _NEEDED[call.method.id.rpartition(".")[2]]
        for name in ("sourceBucket", "bucket", "destinationBucket"):
            if name in call.path:
                self._objects.bucket(call.path[name])
                query |= self._require(call.caller, call.path[name], "get" if name == "sourceBucket" else needed)
        if call.method.id == "storage.objects.compose":
            self._require(call.caller, call.path["destinationBucket"], "get")
        return replace(call, query=query)

    def _require(self, account: str | None, bucket: str, permission: str) -> dict[str, str]:
        """Raise ApiError 403 where a service account has no grant.

        Answer the condition that it may make new objects only, where that is so: to replace one is to delete it.
        """
        if account is not None and not self._grants.allow(account, bucket, permission):
            raise lacking(permission, bucket)
        free = account is None or permission != "create" or self._grants.allow(account, bucket, "delete")
        return {} if free else {ONLY_NEW: "true"}

    async def _insert(self, call: Call) -> Json | Response:
        call = await run_in_threadpool(self._admit, call)
        request, bucket, kind = call.request, call.path["bucket"], call.query.get("uploadType")
        if upload_id := request.query_params.get("upload_id"):
            key = f"{bucket}/{upload_id}"
            if request.method == "DELETE":
                return self._uploads.cancel(key)
            return _linked(await self._uploads.go_on(request, key, call.query), call)
        if kind not in ("media", "multipart", "resumable"):
            raise invalid(f"uploadType {kind!r} is none that is known.")
        asked: Json = {field: call.query[field] for field in ("name", "contentEncoding") if field in call.query}
        if kind != "resumable":
            method = call.method if kind == "multipart" else None
            return _linked(await self._receive(request, bucket, asked, call.query, method), call)
        said = {"name": "", "contentType": request.headers.get("x-upload-content-type")}
        said |= without_nulls(await checked_body(request, call.method))
        upload_id = await run_in_threadpool(self._uploads.begin, bucket, {"asked": said | asked, "query": call.query})
        where = f"{call.base_url}upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
        return Response(headers={"location": where})

    async def _receive(
        self, request: Request, bucket: str, asked: Json, query: dict[str, str], related: Method | None = None
    ) -> Json:
        """Make an object of a body or of the second part of one in two, the first fit for a method."""
        with self._objects.new_file() as file:
            await receive(request, file)
            said: Json = {"contentType": request.headers.get("content-type")}
            if related is not None:
                metadata, said["contentType"] = await run_in_threadpool(cut, file)
                said |= without_nulls(fitting(related, metadata))
            said |= asked
            return await run_in_threadpool(self._objects.keep, (bucket, said.get("name", "")), file, said, query)

    def _get(self, call: Call) -> Json | Response:
        bucket, name, query = call.path["bucket"], call.path["object"], call.query
        if call.kind == "download" or query.get("alt") == "media":
            return self._download(call.request, bucket, name)
        kind = SOFT_DELETED if is_set(query, "softDeleted") else OBJECT
        found = self._objects.find(bucket, name, query.get("generation"), kind)["object"]
        require(query, found, reading=True)
        return found

    def _copy(self, call: Call) -> Json:
        path, query = call.path, call.query
        if "object" in path:  # to be restored
            source = (path["bucket"], path["object"], query["generation"], SOFT_DELETED)
            return self._objects.copy(source, source[:2], {}, query)
        source = (path["sourceBucket"], path["sourceObject"], query.get("sourceGeneration"), OBJECT)
        place = (path["destinationBucket"], path["destinationObject"])
        return self._objects.copy(source, place, call.body, query)

    def _rewrite(self, call: Call) -> Json:
        made = self._copy(call)
        sizes = {"objectSize": made["size"], "totalBytesRewritten": made["size"]}
        return {"kind": "storage#rewriteResponse", "done": True, "resource": made, **sizes}

    def _compose(self, call: Call) -> Json:
        bucket, name = call.path["destinationBucket"], call.path["destinationObject"]
        body: Json = without_nulls(call.body)
        if body.get("deleteSourceObjects"):
            raise not_implemented("deleteSourceObjects of storage.objects.compose")
        asked, parts = body.get("destination", {}), list[Json]()
        with self._objects.new_file() as file:
            with file.open("wb") as whole:
                for source in body.get("sourceObjects", []):
                    wanted = {"generation": source.get("generation"), **source.get("objectPreconditions", {})}
                    found, content = self._objects.open(bucket, source.get("name", ""), without_nulls(wanted))
                    parts.append(found)
                    with content:
                        shutil.copyfileobj(content, whole, CHUNK)
            if not 0 < len(parts) <= _MOST_SOURCES:
                raise invalid(f"The number of source components provided ({len(parts)}) is not 1 to {_MOST_SOURCES}.")
            sums = measured(file, {}) | {"md5Hash": None}  # Cloud Storage has none of it either
            sums["componentCount"] = sum(part.get("componentCount", 1) for part in parts)
            said = {"contentType": parts[0].get("contentType"), **asked}
            return self._objects.keep((bucket, name), file, said, call.query, sums)

    def _download(self, request: Request, bucket: str, name: str) -> Response:
        """Answer a content, decompressed for a client that does not accept gzip.

        https://cloud.google.com/storage/docs/xml-api/reference-headers, https://cloud.google.com/storage/docs/transcoding
        """
        query = request.query_params
        found, content = self._objects.open(bucket, name, query)
        headers = {header: found[field] for header, field in _SAID.items() if field in found}
        metadata: dict[str, str] = found.get("metadata", {})
        headers |= {f"X-Goog-Meta-{key}": value for key, value in metadata.items() if _TOKEN.fullmatch(key)}
        if "response-content-disposition" in query:
            headers["Content-Disposition"] = query["response-content-disposition"]
        encoding = found.get("contentEncoding")
        headers["X-Goog-Stored-Content-Encoding"] = encoding or "identity"
        if "range" not in request.headers:
            sums = {"crc32c": found["crc32c"], "md5": found.get("md5Hash")}
            headers["X-Goog-Hash"] = ",".join(f"{kind}={value}" for kind, value in sums.items() if value)
        # In one line each, as UTF-8.
        headers = {header: " ".join(value.split()).encode().decode("latin-1") for header, value in headers.items()}
        if encoding and ("gzip" in request.headers.get("accept-encoding", "") or "X-Goog-Hash" not in headers):
            headers["Content-Encoding"] = encoding
        elif encoding == "gzip" and content.read(2) == _GZIP:  # else it is as it is
            content.seek(0)
            plain = gzip.GzipFile(fileobj=content)
            closed = BackgroundTask(content.close)
            return StreamingResponse(iter(partial(plain.read, CHUNK), b""), headers=headers, background=closed)
        path = f"/proc/self/fd/{content.fileno()}"  # the file's name may go meanwhile
        response = FileResponse(path, headers=headers, background=BackgroundTask(content.close))
        response.chunk_size = CHUNK
        return response


def _linked(answer: _Answered, call: Call) -> _Answered:
    """Say of objects where they are, as their client reaches us."""
    if isinstance(answer, dict):
        for found in (answer, answer.get("resource", {}), *answer.get("items", [])):
            if found.get("kind") == "storage#object":
                path = f"storage/v1/b/{found['bucket']}/o/{quote(found['name'], safe='')}"
                content = f"{call.base_url}download/{path}?generation={found['generation']}&alt=media"
                found |= {"selfLink": f"https://www.googleapis.com/{path}", "mediaLink": content}
    return answer
