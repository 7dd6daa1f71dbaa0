"""Uploads in pieces, as the object store keeps them: each piece is appended, the whole is mapped and not read.

gcp-storage-emulator reads and writes all that came before with each piece, and knows no cancellation; an object of
gigabytes would take hours, and the memory of all of it. A bucket with an open upload could not be deleted.
"""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from gcp_storage_emulator.exceptions import BadRequest
from gcp_storage_emulator.storage import RESUMABLE_DIR, Storage

from local.gcp.store import Json


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
        return b""  # mmap refuses an empty file
    with path.open("rb") as file:
        mapped = Mapped(file.fileno(), 0, access=ACCESS_READ)
    mapped.path = path
    return mapped


class Uploads(Storage):
    """The emulator's storage with uploads in pieces."""

    _root: Path
    objects: dict[str, dict[str, Json]]
    resumable: dict[str, Json]

    def add_to_resumable_upload(
        self, file_id: str, content: bytes | None, total_size: int | None = None, expected_start: int | None = None
    ) -> bytes | Mapped | None:
        """Append a piece; return the whole once it is there.

        Raises:
            BadRequest: the piece does not begin where the last one ended, or goes beyond the end.

        """
        path, received = self._upload(file_id), self.get_resumable_byte_count(file_id)
        if expected_start not in (None, received):
            raise BadRequest(f"Invalid Content-Range start: expected {received}, got {expected_start}")
        if total_size is not None and received + len(content or b"") > total_size:
            raise BadRequest(f"The upload has {received + len(content or b'')} bytes, and not {total_size}")
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

    def delete_bucket(self, bucket_name: str) -> None:
        """Delete an empty bucket, and forget its open uploads, which are no objects yet."""
        if not self.objects.get(bucket_name):
            for file_id in [key for key, described in self.resumable.items() if described["bucket"] == bucket_name]:
                self.cancel(file_id)
        super().delete_bucket(bucket_name)

    def _upload(self, file_id: str) -> Path:
        return self._root / self._object_path(RESUMABLE_DIR, self.safe_id(file_id))


def _whole(path: Path, total: int | None) -> bytes | Mapped | None:
    return None if total is None or path.stat().st_size < total else content(path)
