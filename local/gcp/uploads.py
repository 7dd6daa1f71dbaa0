"""Uploads in pieces, as the object store keeps them: each piece is appended, the whole is mapped and not read.

gcp-storage-emulator reads and writes all that came before with each piece, and knows no cancellation; an object of
gigabytes would take hours, and the memory of all of it.
"""

import base64
from http import HTTPStatus
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import google_crc32c
from gcp_storage_emulator.exceptions import BadRequest, NotFound
from gcp_storage_emulator.handlers import objects
from gcp_storage_emulator.server import HANDLERS  # pyright: ignore[reportUnknownVariableType]
from gcp_storage_emulator.storage import RESUMABLE_DIR, Storage

_PIECE = 1 << 20
_CANCELLED = SimpleNamespace(value=499, phrase="Client Closed Request")
"""What Cloud Storage answers where an upload was cancelled."""


class Mapped(mmap):
    """What a file holds, without reading it."""

    path: Path


def content(path: Path) -> bytes | Mapped:
    """Return what a file holds.

    Raises:
        FileNotFoundError: there is no such file.

    """
    if not path.is_file():
        raise FileNotFoundError(path)
    if path.stat().st_size == 0:
        return b""  # nothing cannot be mapped
    with path.open("rb") as file:
        mapped = Mapped(file.fileno(), 0, access=ACCESS_READ)
    mapped.path = path
    return mapped


class Uploads(Storage):
    """The emulator's storage with uploads in pieces."""

    _root: Path

    def add_to_resumable_upload(
        self, file_id: str, content: bytes | None, total_size: int | None = None, expected_start: int | None = None
    ) -> bytes | Mapped | None:
        """Append a piece; return the whole once it is there.

        Raises:
            BadRequest: the piece does not begin where the last one ended.

        """
        path, received = self._upload(file_id), self.get_resumable_byte_count(file_id)
        if expected_start not in (None, received):
            raise BadRequest(f"Invalid Content-Range start: expected {received}, got {expected_start}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(content or b"")
        return _whole(path, total_size)

    def get_resumable_byte_count(self, file_id: str) -> int:
        """Return how much of an upload is there."""
        path = self._upload(file_id)
        return path.stat().st_size if path.exists() else 0

    def cancel(self, file_id: str) -> None:
        """Forget an upload.

        Raises:
            NotFound: there is none.

        """
        self.delete_resumable_file_obj(file_id)
        self._upload(file_id).unlink(missing_ok=True)
        self._write_config_to_file()

    def _upload(self, file_id: str) -> Path:
        return self._root / self._object_path(RESUMABLE_DIR, self.safe_id(file_id))


def _whole(path: Path, total: int | None) -> bytes | Mapped | None:
    return None if total is None or path.stat().st_size < total else content(path)


def _cancel(request: Any, response: Any, storage: Uploads) -> None:  # noqa: ANN401 - the emulator's, without types
    try:
        storage.cancel(request.query["upload_id"][0])
        response.status = _CANCELLED
    except NotFound:
        response.status = HTTPStatus.NOT_FOUND


def _crc32c(whole: bytes | Mapped) -> str:
    checksum = google_crc32c.Checksum()
    for start in range(0, len(whole), _PIECE):
        checksum.update(whole[start : start + _PIECE])
    return base64.b64encode(checksum.digest()).decode()


def mend_server() -> None:
    """Have the emulator's server cancel uploads, and compute checksums of what is mapped."""
    setattr(objects, "_crc32c", _crc32c)  # noqa: B010 - private; its own takes bytes only
    for _, methods in cast("list[tuple[str, dict[str, Any]]]", HANDLERS):
        if methods.get("PUT") is objects.upload_partial:
            methods["DELETE"] = _cancel
