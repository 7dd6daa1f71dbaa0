"""Objects of Cloud Storage, piece by piece."""

import base64
from collections.abc import Iterator

import google_crc32c
from google.cloud.storage import Blob
from google.cloud.storage.exceptions import DataCorruption

CHUNK = 4 * 2**20
"""Bytes of one request to Cloud Storage, and about a quarter of what one transfer takes of the memory."""


def contents(blob: Blob, part: range) -> Iterator[bytes]:
    """Yield the bytes of an object that `part` names, piece by piece.

    Of a whole object the last piece comes only once all of it agrees with its checksum.

    Raises:
        DataCorruption: it does not.

    """
    whole, checksum = len(part) == blob.size, google_crc32c.Checksum()
    for start in part[::CHUNK]:
        end = min(start + CHUNK, part.stop)
        piece = blob.download_as_bytes(
            start=start,
            end=end - 1,
            raw_download=True,
            checksum=None,  # pyright: ignore[reportArgumentType] - Cloud Storage knows that of the whole only
        )
        checksum.update(piece)
        if whole and end == part.stop and base64.b64encode(checksum.digest()).decode() != blob.crc32c:
            raise DataCorruption(None, f"{blob.name} does not agree with its checksum {blob.crc32c}")
        yield piece
