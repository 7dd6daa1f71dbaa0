"""Uploads: what a request's body holds, and those in pieces, each a resource with the file that its object will have.

https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import asyncio
import json
import mmap
import re
import secrets
import zlib
from collections import defaultdict
from email import message_from_bytes
from http import HTTPStatus
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local.gcp.errors import ApiError, invalid, not_found
from local.gcp.object_store import CHUNK, UPLOAD, ObjectStore, check_name, described, sync
from local.gcp.store import Json, Store

_PARTS = re.compile(rb"(?s)[\r\n]*(--[^\r\n]+)(?=(\r?\n))(?>(.*?)\2\2)(?>(.*?)\2\1)(?>(.*?)\2\2)")
"""The delimiter, the end of a line, and two parts, each headers and an empty line before its content."""
_NOT_RELATED = "The body is not multipart/related: "
_PIECE = re.compile(r"bytes (?:\*|(?P<start>\d+)-(?P<end>\d+|\*))/(?P<total>\d+|\*)")
_SUMS = {"md5": "md5Hash", "crc32c": "crc32c"}


class Uploads:
    """The open uploads in pieces, by bucket and id ("bucket/id")."""

    def __init__(self, store: Store, objects: ObjectStore) -> None:
        self._store = store
        self._objects = objects
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)

    def begin(self, bucket: str, upload: Json) -> str:
        """Keep what the object will be: its "name", what is "asked", the conditions in "query"; answer an id."""
        check_name(upload["name"])
        upload_id = secrets.token_urlsafe(32)
        with self._objects.new_file() as file:
            sync(file)
            self._store.put(UPLOAD, f"{bucket}/{upload_id}", {"file": file.name, **upload})
        return upload_id

    def cancel(self, key: str) -> Response:
        """Forget an upload."""
        self._objects.forget(UPLOAD, key, self._find(key)["file"])
        return Response(status_code=499)

    async def go_on(self, request: Request, key: str, *, new: bool) -> Json | Response:
        """Take a piece, or a question; answer the object once it is whole, and until then how much is there."""
        piece = _PIECE.fullmatch(request.headers.get("content-range", "bytes 0-*/*"))
        if piece is None:
            raise invalid(f"Invalid Content-Range: {request.headers['content-range']}")
        async with self._turns[key]:
            upload = self._find(key)
            file = self._objects.folder / upload["file"]
            if piece["start"]:
                known = file.stat().st_size - int(piece["start"])
                if known < 0:
                    raise invalid(f"Invalid Content-Range: {file.stat().st_size} bytes are there.")
                most = None if piece["total"] == "*" else int(piece["total"]) - int(piece["start"])
                await receive(request, file, known=known, most=most)
            await run_in_threadpool(sync, file)
            size = file.stat().st_size
            if piece["total"] == str(size) or piece["end"] == piece["total"] == "*":
                for kind, checksum in re.findall(r"(md5|crc32c)=([^, ]+)", request.headers.get("x-goog-hash", "")):
                    upload["asked"][_SUMS[kind]] = checksum
                return await run_in_threadpool(self._finish, key, upload, file, new=new)
        answer = Response(status_code=HTTPStatus.PERMANENT_REDIRECT)
        if size:
            answer.headers["range"] = f"bytes=0-{size - 1}"
        if request.headers.get("x-guploader-no-308") == "yes":  # the client for Go
            answer.status_code, answer.headers["x-http-status-code-override"] = HTTPStatus.OK, "308"
        return answer

    def _finish(self, key: str, upload: Json, file: Path, *, new: bool) -> Json:
        try:
            said, place = described(file, upload["asked"]), (key.partition("/")[0], upload["name"])
            with self._store.transaction():
                self._find(key)
                made = self._objects.keep(place, file, said, upload["query"], new=new)
                self._store.delete(UPLOAD, key)
            self._turns.pop(key, None)
        except ApiError:
            self.cancel(key)
            raise
        return made

    def _find(self, key: str) -> Json:
        upload = self._store.get(UPLOAD, key)
        if upload is None:
            raise not_found("No such upload.")
        return upload


async def receive(request: Request, file: Path, *, known: int = 0, most: int | None = None) -> None:
    """Append a body to a file, decompressed if it was compressed for the way; its first `known` bytes are there.

    What comes before a body breaks off is kept. ApiError 400 where it is longer than `most`.
    """
    unpack = zlib.decompressobj(32 + zlib.MAX_WBITS) if "content-encoding" in request.headers else None
    gathered, length = bytearray(), 0
    try:
        async for part in request.stream():
            whole = unpack.decompress(part) if unpack else part
            gathered += whole[max(known - length, 0) :]
            length += len(whole)
            if most is not None and length > most:
                raise invalid(f"Invalid Content-Range: the body is longer than {most} bytes.")
            if len(gathered) >= CHUNK:
                await run_in_threadpool(_append, file, gathered)
                gathered = bytearray()
        await run_in_threadpool(_append, file, gathered)
    except FileNotFoundError as error:
        raise not_found("The upload was cancelled.") from error
    except (ClientDisconnect, zlib.error) as error:
        raise invalid("The body broke off, or is not compressed as it says.") from error


def _append(file: Path, piece: bytearray) -> None:
    with file.open("r+b") as opened:  # which must be there still
        opened.seek(0, 2)
        opened.write(piece)


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
    except ValueError as error:
        raise invalid(f"{_NOT_RELATED}{error}") from error
    return asked, kind["Content-Type"]
