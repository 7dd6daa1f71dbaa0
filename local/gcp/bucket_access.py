"""The objects that an instance of Cloud SQL reads and writes, as far as its own service account may."""

from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx

from local.gcp.emulator import Emulator
from local.gcp.errors import ApiError, OperationFailedError, invalid
from local.gcp.grants import Grants

Json: TypeAlias = dict[str, Any]

_CHUNK = 1 << 20


class BucketAccess:
    """Reads and writes objects for the instances of Cloud SQL."""

    def __init__(self, grants: Grants, emulator: Emulator) -> None:
        self._grants = grants
        self._emulator = emulator

    def require(self, account: str, uri: str, *, writing: bool) -> None:
        """Raise ApiError 403 unless the account may read or write the object; 400 when it is no object's address."""
        bucket, _ = _parts(uri)
        permission = "create" if writing else "get"
        if self._grants.allow(account, bucket, permission):
            return
        needed = f"storage.objects.{permission}"
        message = f"The service account does not have the required permissions for the bucket: {account} needs"
        where = f"{needed} (roles/storage.objectAdmin) on gs://{bucket}, or there is no such bucket."
        raise ApiError(HTTPStatus.FORBIDDEN, "notAuthorized", f"{message} {where}")

    def upload(self, file: Path, uri: str) -> None:
        """Write a file as a new object; OperationFailedError where there is one already."""
        bucket, name = _parts(uri)
        if httpx.get(self._object(bucket, name)).status_code == HTTPStatus.OK:
            raise OperationFailedError("INVALID_REQUEST", f"The file {uri} already exists.")
        url = f"{self._emulator.url}/upload/storage/v1/b/{bucket}/o"
        kind = {"Content-Type": "application/gzip" if name.endswith(".gz") else "application/sql"}
        with file.open("rb") as content:
            size = {"Content-Length": str(file.stat().st_size)}
            parameters = {"uploadType": "media", "name": name}
            answer = httpx.post(url, params=parameters, content=content, headers={**kind, **size}, timeout=600)
        answer.raise_for_status()

    def download(self, uri: str, file: Path) -> None:
        """Read an object into a file; OperationFailedError where there is none."""
        with httpx.stream("GET", f"{self._object(*_parts(uri))}?alt=media", timeout=600) as answer:
            if answer.status_code == HTTPStatus.NOT_FOUND:
                raise OperationFailedError("INVALID_REQUEST", f"The file {uri} does not exist.")
            answer.raise_for_status()
            with file.open("wb") as target:
                for chunk in answer.iter_raw(_CHUNK):
                    target.write(chunk)

    def _object(self, bucket: str, name: str) -> str:
        return f"{self._emulator.url}/storage/v1/b/{bucket}/o/{quote(name, safe='')}"


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket or not name:
        raise invalid(f"uri {uri!r} is no object: give gs://BUCKET/OBJECT.")
    return bucket, name
