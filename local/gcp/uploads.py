"""Uploads: what a request's body holds, and those in pieces, each a resource with the file that its object will have.

https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import asyncio
import json
import mmap
import os
import re
import secrets
import zlib
from collections import defaultdict
from collections.abc import Mapping
from email import message_from_bytes
from http import HTTPStatus
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local.gcp.errors import ApiError, invalid, not_found, not_implemented
from local.gcp.object_store import CHUNK, FINISHED, UPLOAD, ObjectStore, check_name, measured, sync
from local.gcp.operations import timestamp
from local.gcp.store import Json, Store

_PARTS = re.compile(rb"(?s)[\r\n]*(--[^\r\n]+)(?=(\r?\n))(?>(.*?)\2\2)(?>(.*?)\2\1)(?>(.*?)\2\2)")
"""The delimiter, the end of a line, and two parts, each headers and an empty line before its content."""
_NOT_RELATED = "The body is not multipart/related: "
_PIECE = re.compile(r"bytes (?:\*|(?P<start>\d{1,19})-(?P<end>\d{1,19}|\*))/(?P<total>\d{1,19}|\*)")
_SUMS = {"md5": "md5Hash", "crc32c": "crc32c"}


class Uploads:
    """The open uploads in pieces, by bucket and id ("bucket/id")."""

    def __init__(self, store: Store, objects: ObjectStore) -> None:
        self._store = store
        self._objects = objects
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)

    def begin(self, bucket: str, upload: Json) -> str:
        """Keep what is "asked" to be said of an object, its name too, and the conditions in "query"; answer an id."""
        check_name(upload["asked"].get("name", ""))
        upload_id = secrets.token_urlsafe(32)
        with self._objects.new_file() as file:
            sync(file)
            self._store.put(UPLOAD, f"{bucket}/{upload_id}", {"file": file.name, "begun": timestamp(), **upload})
        return upload_id

    def cancel(self, key: str) -> Response:
        """Forget an upload."""
        self._objects.forget(UPLOAD, key, self._find(key)["file"])
        self._turns.pop(key, None)
        return Response(status_code=499)

    async def go_on(self, request: Request, key: str, query: Mapping[str, str]) -> Json | Response:
        """Take a piece, or a question; answer the object once it is whole, and until then how much is there."""
        if finished := self._store.get(FINISHED, key):
            return finished["object"]
        self._find(key)
        try:
            async with self._turns[key]:
                made, size = await self._take(request, key, query)
        except FileNotFoundError as error:  # cancelled meanwhile
            raise _unknown() from error
        if made is not None:
            return made
        answer = Response(status_code=HTTPStatus.PERMANENT_REDIRECT)
        if size:
            answer.headers["range"] = f"bytes=0-{size - 1}"
        if request.headers.get("x-guploader-no-308") == "yes":  # the client for Go
            answer.status_code, answer.headers["x-http-status-code-override"] = HTTPStatus.OK, "308"
        return answer

    async def _take(self, request: Request, key: str, query: Mapping[str, str]) -> tuple[Json | None, int]:
        upload = self._find(key)
        said, file = request.headers.get("content-range", "bytes 0-*/*"), self._objects.folder / upload["file"]
        piece, size = _PIECE.fullmatch(said), file.stat().st_size
        if piece is None or int(piece["start"] or 0) > size:
            raise invalid(f"Invalid Content-Range: {said}, where {size} bytes are there.")
        if piece["start"]:
            await receive(request, file, known=size - int(piece["start"]))
            before, size = size, file.stat().st_size
            end = piece["total"] if piece["end"] == "*" else str(int(piece["end"]) + 1)
            if end != "*" and size > max(int(end), before):
                os.truncate(file, before)
                raise invalid(f"Invalid Content-Range: {said}, where {size} bytes came.")
        await run_in_threadpool(sync, file)
        if piece["total"] != str(size) and not piece["end"] == piece["total"] == "*":
            return None, size
        for kind, checksum in re.findall(r"(md5|crc32c)=([^, ]+)", request.headers.get("x-goog-hash", "")):
            upload["asked"][_SUMS[kind]] = checksum
        return await run_in_threadpool(self._finish, key, upload, {**upload["query"], **query}), size

    def _finish(self, key: str, upload: Json, query: Mapping[str, str]) -> Json:
        file = self._objects.folder / upload["file"]
        place, asked = (key.partition("/")[0], upload["asked"]["name"]), upload["asked"]
        try:
            sums = measured(file, asked)
            with self._store.transaction():
                self._find(key)
                self._store.delete(UPLOAD, key)
                made = self._objects.keep(place, file, asked, query, sums)
                self._store.put(FINISHED, key, {"object": made})
        except ApiError:
            self.cancel(key)
            raise
        self._turns.pop(key, None)
        return made

    def _find(self, key: str) -> Json:
        upload = self._store.get(UPLOAD, key)
        if upload is None:
            raise _unknown()
        return upload


async def receive(request: Request, file: Path, known: int = 0) -> None:
    """Append a body to a file, but for its first `known` bytes, and also what comes until it breaks off.

    One that was compressed for the way is decompressed.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding not in ("identity", "gzip"):
        raise not_implemented(f"Content-Encoding {encoding} of an upload")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    gathered = bytearray()
    try:
        async for part in request.stream():
            gathered += unpack.decompress(part) if unpack else part
            dropped = min(known, len(gathered))
            del gathered[:dropped]
            known -= dropped
            if len(gathered) >= CHUNK:
                await run_in_threadpool(_append, file, gathered)
                gathered = bytearray()
        if unpack and (not unpack.eof or unpack.unused_data):
            raise invalid("The body is not one whole gzip member.")
    except (ClientDisconnect, zlib.error) as error:
        raise invalid("The body broke off, or is not compressed as it says.") from error
    finally:
        await run_in_threadpool(_append, file, gathered)


def _append(file: Path, piece: bytearray) -> None:
    with file.open("r+b") as opened:  # it must be there still
        opened.seek(0, os.SEEK_END)
        opened.write(piece)


def _unknown() -> ApiError:
    return not_found("No such upload.")


def cut(file: Path) -> tuple[Json, str | None]:
    """Leave of a body in two parts (RFC 2387) the second, and answer the first and the type of the second.

    Its first line is the delimiter: gcloud puts apostrophes around the one in the header, and ends lines as text does.
    """
    try:
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as whole:
            found = _PARTS.match(whole)
            end = whole.rfind(found[2] + found[1] + b"--") if found else -1
            if found is None or end < found.end():
                raise invalid(f"{_NOT_RELATED}it has not two parts")
            asked, kind, size = json.loads(found[4]), message_from_bytes(found[5].lstrip()), end - found.end()
            whole.move(0, found.end(), size)
            whole.flush()
            opened.truncate(size)
    except (ValueError, RecursionError) as error:
        raise invalid(f"{_NOT_RELATED}{error}") from error
    return asked, str(kind["Content-Type"]) if "Content-Type" in kind else None
