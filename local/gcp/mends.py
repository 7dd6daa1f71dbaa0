"""What the emulator's server does otherwise than Cloud Storage, replaced in its own tables.

Each function below says what. They take and return the emulator's own types, which it does not declare.
"""

import base64
import gzip
import io
import json
import re
from collections.abc import Iterator
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
    _OBJECTS.update(_crc32c=_crc32c, download=_download)
    _SERVER.update(_read_data=_read_data)
    mended = {_download_as_stored: _download, _compose_as_told: _compose}
    for _, methods in _SERVER["HANDLERS"]:
        methods.update({method: mended[handler] for method, handler in methods.items() if handler in mended})
        if methods.get("PUT") is objects.upload_partial:
            methods["DELETE"] = _cancel


def read_body(request: BaseHTTPRequestHandler) -> None:
    """Read the body of a request, in chunks or compressed as it may be, and put it in the place of the connection."""
    body: bytes = _SERVER["_decode_raw_data"](_SERVER["_read_raw_data"](request), request) or b""
    for header in ("Transfer-Encoding", "Content-Encoding", "Content-Length"):
        del request.headers[header]
    request.headers["Content-Length"] = str(len(body))
    request.rfile = io.BytesIO(body)


def _read_data(request: BaseHTTPRequestHandler, query: _Emulator) -> _Emulator:
    """Read a body; one in parts as any client writes it."""
    if not request.headers.get("Content-Type", "").startswith("multipart/related"):
        return _read_any_data(request, query)
    try:
        (_, metadata), (headers, content) = _related(request.rfile.read())
        return {"meta": json.loads(metadata), "content": content, "content-type": headers["Content-Type"]}
    except ValueError as error:
        raise Conflict(f"the body is not multipart/related: {error}") from error


def _related(body: bytes) -> Iterator[tuple[Message, bytes]]:
    """Yield the headers and the content of each part.

    The first line is the delimiter. gcloud and gsutil put it between apostrophes in the header, which are no quotes
    there, and end lines as text files do; the emulator's parser then finds no parts. In a part that is a mail or has
    parts itself it finds too many.
    """
    start = re.match(rb"(?:\r?\n)*(--[^\r\n]+)(\r?\n)", body)
    if start is None:
        raise ValueError("it does not begin with a delimiter")
    delimiter, line_end = start.groups()
    for part in body[start.end() :].split(line_end + delimiter)[:-1]:
        headers, _, content = part.removeprefix(line_end).partition(2 * line_end)
        yield message_from_bytes(headers), content


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
        response.write_file(gzip.decompress(response.__dict__["_content"]), described["contentType"])
    elif encoding:
        response["Content-Encoding"] = encoding


def _compose(request: _Emulator, response: _Emulator, storage: _Emulator) -> None:
    """Compose objects whatever checksums come along: gcloud sends those of the first source."""
    for computed in ("crc32c", "md5Hash"):
        request.data.get("destination", {}).pop(computed, None)
    _compose_as_told(request, response, storage)


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
