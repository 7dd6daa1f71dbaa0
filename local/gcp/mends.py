"""Replaces functions of the emulator that differ from Cloud Storage.

They take and return the emulator's own types, which it does not declare.
"""

import base64
import gzip
import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any, TypeAlias

import google_crc32c
from gcp_storage_emulator import server
from gcp_storage_emulator.exceptions import Conflict, NotFound
from gcp_storage_emulator.handlers import objects

from local.gcp.uploads import Mapped

_Emulator: TypeAlias = Any
_SERVER: dict[str, Any] = server.__dict__
_OBJECTS: dict[str, Any] = objects.__dict__
_read_any_data, _download_as_stored, _compose_as_told = _SERVER["_read_data"], _OBJECTS["download"], _OBJECTS["compose"]
_PIECE = 1 << 20
_CANCELLED = SimpleNamespace(value=499, phrase="Client Closed Request")
"""What Cloud Storage answers where an upload was cancelled."""


def mend() -> None:
    """Put the functions below in the place of the emulator's, once."""
    _OBJECTS.update(_crc32c=_crc32c, _resumable_incomplete=_resumable_incomplete, download=_download)
    _SERVER.update(_read_data=_read_data)
    mended = {_download_as_stored: _download, _compose_as_told: _compose}
    _SERVER["HANDLERS"] = [entry for entry in _SERVER["HANDLERS"] if entry[0] != "^/wipe$"]
    for _, methods in _SERVER["HANDLERS"]:
        methods.update({method: mended[handler] for method, handler in methods.items() if handler in mended})
        if methods.get("PUT") is objects.upload_partial:
            methods["DELETE"] = _cancel


def read_body(request: BaseHTTPRequestHandler) -> None:
    """Read the whole body, join its chunks and decompress it; the emulator then reads it from memory."""
    body: bytes = _SERVER["_decode_raw_data"](_SERVER["_read_raw_data"](request), request) or b""
    for header in ("Transfer-Encoding", "Content-Encoding", "Content-Length"):
        del request.headers[header]
    request.headers["Content-Length"] = str(len(body))
    request.rfile = io.BytesIO(body)


def _read_data(request: BaseHTTPRequestHandler, query: _Emulator) -> _Emulator:
    """Return an upload as it is, one in parts with its metadata, and any other body as the emulator does."""
    if request.command == "PUT" or query.get("uploadType") == ["media"]:
        return request.rfile.read()
    if not request.headers.get("Content-Type", "").startswith("multipart/related"):
        return _read_any_data(request, query)
    try:
        (_, metadata), (headers, content) = _related(request.rfile.read())
        return {"meta": json.loads(metadata), "content": content, "content-type": headers["Content-Type"]}
    except ValueError as error:
        raise Conflict(f"the body is not multipart/related: {error}") from error


def _related(body: bytes) -> Iterator[tuple[Message, bytes]]:
    """Yield the headers and the content of each part.

    The first line is the delimiter. gcloud puts apostrophes around it in the header, which do not belong to it, and
    ends lines as text files do. The emulator's parser then finds no parts; in a mail it finds too many.
    """
    start = re.match(rb"(?:\r?\n)*(--[^\r\n]+)(\r?\n)", body)
    if start is None:
        raise ValueError("it does not begin with a delimiter")
    delimiter, line_end = start.groups()
    for part in body[start.end(1) :].split(line_end + delimiter)[:-1]:
        headers, separator, content = part.partition(2 * line_end)
        if not separator:
            raise ValueError("a part has no empty line after its headers")
        yield message_from_bytes(headers.lstrip()), content


def _download(request: _Emulator, response: _Emulator, storage: _Emulator) -> None:
    """Say which generation is answered, and how it is stored; decompress it for a client that does not accept gzip.

    https://cloud.google.com/storage/docs/xml-api/reference-headers and https://cloud.google.com/storage/docs/transcoding
    """
    _download_as_stored(request, response, storage)
    if response.status == HTTPStatus.NOT_FOUND:
        return
    described = storage.get_file_obj(request.params["bucket_name"], request.params["object_id"])
    encoding = described.get("contentEncoding")
    for header, value in {
        "Generation": described["generation"],
        "Metageneration": described["metageneration"],
        "Storage-Class": described["storageClass"],
        "Stored-Content-Encoding": encoding or "identity",
        "Stored-Content-Length": described["size"],
    }.items():
        response[f"X-Goog-{header}"] = value
    whole = response.status == HTTPStatus.OK
    if encoding == "gzip" and whole and "gzip" not in request.get_header("Accept-Encoding", ""):
        with suppress(gzip.BadGzipFile):  # the uploader's word, which Cloud Storage does not check either
            response.write_file(gzip.decompress(response.__dict__["_content"]), described["contentType"])
    elif encoding:
        response["Content-Encoding"] = encoding


def _compose(request: _Emulator, response: _Emulator, storage: _Emulator) -> None:
    """Compose the generations that are named, whatever checksums come along: gcloud sends those of the first source."""
    destination = request.data.setdefault("destination", {})
    for computed in ("crc32c", "md5Hash"):
        destination.pop(computed, None)
    for source in request.data.get("sourceObjects", []):
        named = (source.get("generation"), source.get("objectPreconditions", {}).get("ifGenerationMatch"))
        current = storage.objects.get(request.params["bucket_name"], {}).get(source["name"], {}).get("generation")
        if any(str(wanted) != current for wanted in named if wanted is not None):
            response.status = HTTPStatus.PRECONDITION_FAILED
            return
    _compose_as_told(request, response, storage)


def _resumable_incomplete(response: _Emulator, storage: _Emulator, upload_id: str, **_: int) -> None:
    """Say how much of an upload is there; nothing where nothing is."""
    response.status = objects.GoogleHTTPStatus.RESUME_INCOMPLETE
    if received := storage.get_resumable_byte_count(upload_id):
        response["Range"] = f"bytes=0-{received - 1}"


def _cancel(request: _Emulator, response: _Emulator, storage: _Emulator) -> None:
    """Cancel an upload."""
    try:
        storage.cancel(request.query["upload_id"][0])
        response.status = _CANCELLED
    except NotFound:
        response.status = HTTPStatus.NOT_FOUND


def _crc32c(whole: bytes | Mapped) -> str:
    """Compute the checksum of what is mapped, too, by the piece."""
    checksum = google_crc32c.Checksum()
    for start in range(0, len(whole), _PIECE):
        checksum.update(whole[start : start + _PIECE])
    return base64.b64encode(checksum.digest()).decode()
