"""Generations of an object: the conditions that a request sets on them, and those that are no longer current.

gcp-storage-emulator keeps one generation of an object and ignores conditions. Where the bucket has versioning the
others are kept here, each as an object of its own: by its name, a line feed, which no name may contain, and its
generation (https://cloud.google.com/storage/docs/object-versioning).
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, cast

from gcp_storage_emulator.exceptions import Conflict

from local.gcp.operations import timestamp
from local.gcp.store import Json
from local.gcp.uploads import Mapped, Uploads

_LONGEST_NAME = 1024  # bytes


class ConditionError(Exception):
    """An object is not as the request says; `status` is what Cloud Storage answers."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Generations(Uploads):
    """The emulator's storage with generations. Call `ask` before each request."""

    buckets: dict[str, Json]
    _method: str
    _query: Mapping[str, str]

    def ask(self, method: str, query: Mapping[str, str]) -> None:
        """Take the method and the query parameters of the request that comes next."""
        self._method, self._query = method, query

    def create_file(
        self, bucket_name: str, file_name: str, content: bytes | Mapped, file_obj: Json, file_id: str | None = None
    ) -> None:
        """Keep an object if the request's conditions hold; what it replaces becomes noncurrent.

        Its generation is of now, since an upload in pieces may have begun long ago.
        """
        _check_name(file_name)
        now, generation = timestamp(), str(time.time_ns())
        file_obj.update(dict.fromkeys(("timeCreated", "updated", "timeStorageClassUpdated"), now))
        file_obj.update(generation=generation, id=f"{bucket_name}/{file_name}/{generation}")
        self._require("if", self.objects.get(bucket_name, {}).get(file_name))
        self._retire(bucket_name, file_name)
        super().create_file(bucket_name, file_name, content, file_obj, file_id)

    def create_resumable_upload(self, bucket_name: str, file_name: str, file_obj: Json) -> str:
        """Begin an upload."""
        _check_name(file_name)
        return super().create_resumable_upload(bucket_name, file_name, file_obj)

    def delete_file(self, bucket_name: str, file_name: str) -> None:
        """Delete the generation that is asked for, or make the current one noncurrent."""
        described = self.get_file_obj(bucket_name, file_name)
        if "timeDeleted" in described:
            self._hard_delete_file(bucket_name, self._key(bucket_name, file_name))
        elif "generation" not in self._query and self._retire(bucket_name, file_name):
            self._hard_delete_file(bucket_name, file_name)
        else:
            super().delete_file(bucket_name, file_name)

    def get_file_obj(self, bucket_name: str, file_name: str) -> Json:
        """Return the description of the generation that is asked for, if the request's conditions hold."""
        described = cast("Json", super().get_file_obj(bucket_name, self._key(bucket_name, file_name)))
        self._require("ifSource" if self._method == "POST" else "if", described)
        return described

    def patch_object(self, bucket_name: str, file_name: str, file_obj: Json) -> None:
        """Keep the changed description of the generation that is asked for."""
        super().patch_object(bucket_name, self._key(bucket_name, file_name), file_obj)

    def get_file(self, bucket_name: str, file_name: str, show_error: bool = True) -> Any:  # noqa: ANN401, FBT001, FBT002 - the emulator's
        """Return the content of the generation that is asked for."""
        return super().get_file(bucket_name, self._key(bucket_name, file_name), show_error)

    def _list_live_candidates(self, bucket_name: str, prefix: str | None = None) -> list[tuple[str, Json]]:
        every = self._query.get("versions", "").lower() == "true"
        found = [
            entry for entry in self.objects.get(bucket_name, {}).values() if entry["name"].startswith(prefix or "")
        ]
        return [(entry["name"], entry) for entry in found if every or "timeDeleted" not in entry]

    def _key(self, bucket: str, name: str) -> str:
        wanted = self._query.get("generation") or self._query.get("sourceGeneration")
        current = self.objects.get(bucket, {}).get(name, {}).get("generation")
        return name if wanted in (None, current) else f"{name}\n{wanted}"

    def _retire(self, bucket: str, name: str) -> bool:
        """Keep the current generation as a noncurrent one; tell whether there is one and the bucket has versioning."""
        current = self.objects.get(bucket, {}).get(name)
        if current is None or not self.buckets[bucket].get("versioning", {}).get("enabled"):
            return False
        key = f"{name}\n{current['generation']}"
        with suppress(FileExistsError):  # an upload that was cut short has linked it already
            os.link(self._root / self._object_path(bucket, name), self._root / self._object_path(bucket, key))
        self.objects[bucket][key] = current | {"timeDeleted": timestamp()}
        return True

    def _require(self, condition: str, described: Json | None) -> None:
        """Raise ConditionError where the object is not as the request's conditions say; no object has generation 0."""
        for field in ("generation", "metageneration"):
            found = "0" if described is None else described[field]
            wanted = self._query.get(f"{condition}{field.title()}Match", found)
            unwanted = self._query.get(f"{condition}{field.title()}NotMatch")
            if wanted != found or unwanted == found:
                read = self._method == "GET" and wanted == found
                status = HTTPStatus.NOT_MODIFIED if read else HTTPStatus.PRECONDITION_FAILED
                raise ConditionError(status, f"the object has {field} {found}")


def _check_name(name: str) -> None:
    """Refuse what is no name (https://cloud.google.com/storage/docs/objects#naming)."""
    if name in ("", ".", "..") or "\n" in name or "\r" in name or len(name.encode()) > _LONGEST_NAME:
        raise Conflict(f"Invalid object name: {name[:40]!r}")
