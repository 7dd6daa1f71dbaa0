"""The objects that an instance of Cloud SQL reads and writes, as far as its own service account may."""

import shutil
from http import HTTPStatus
from pathlib import Path

from local.gcp.errors import ApiError, OperationFailedError, invalid
from local.gcp.grants import Grants
from local.gcp.object_store import ObjectStore


class BucketAccess:
    """Reads and writes objects for the instances of Cloud SQL."""

    def __init__(self, grants: Grants, objects: ObjectStore) -> None:
        self._grants = grants
        self._objects = objects

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
        place = _parts(uri)
        kind = "application/gzip" if uri.endswith(".gz") else "application/sql"
        try:
            with self._objects.new_file() as content:
                shutil.copyfile(file, content)
                self._objects.keep(place, content, {"contentType": kind}, {"ifGenerationMatch": "0"})
        except ApiError as error:
            message = f"The file {uri} already exists." if error.reason == "conditionNotMet" else error.message
            raise OperationFailedError("INVALID_REQUEST", message) from error

    def download(self, uri: str, file: Path) -> None:
        """Read an object into a file; OperationFailedError where there is none."""
        try:
            _, content = self._objects.open(*_parts(uri), {})
        except ApiError as error:
            raise OperationFailedError("INVALID_REQUEST", f"The file {uri} does not exist.") from error
        with content, file.open("wb") as target:
            shutil.copyfileobj(content, target)


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket or not name:
        raise invalid(f"uri {uri!r} is no object: give gs://BUCKET/OBJECT.")
    return bucket, name
