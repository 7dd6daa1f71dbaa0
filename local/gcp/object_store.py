"""Objects as they are kept: descriptions in the store, contents in files that are written once and then only read.

A generation is a resource {"object": Google's description, "file": name}, in the order in which Cloud Storage lists
them. Those that may be restored for a while are of another kind (https://cloud.google.com/storage/docs/soft-delete). A
file is on the disk before a transaction names it, and goes after the one that forgets it: a kill leaves at most files
that nothing names, which the next start removes.
"""

import hashlib
import os
import re
import secrets
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, TypeAlias

import google_crc32c

from local.gcp.discovery import without_nulls
from local.gcp.errors import ApiError, conflict, invalid, not_found, not_implemented
from local.gcp.operations import timestamp
from local.gcp.sql_settings import merged
from local.gcp.store import Json, Store

Place: TypeAlias = tuple[str, str]
"""Bucket and name."""
Source: TypeAlias = tuple[str, str, str | None, str]
"""Bucket, name, generation if it is not the live one, and kind."""
BUCKET, OBJECT, SOFT_DELETED = "storage.bucket", "storage.object", "storage.softDeleted"
UPLOAD, FINISHED = "storage.upload", "storage.finishedUpload"
"""Kinds in the store; buckets and uploads are kept by others."""
ONLY_NEW = "onlyNew"
"""A condition of ours: the caller may replace nothing, since that is to delete it."""
CHUNK = 1 << 20
_MOST = 1000  # on a page
_NO_NAME = re.compile(r"|\.|\.\.|(?s:.*[\0\r\n\ud800-\udfff].*)")  # the first is ours, between name and generation
_LONGEST_NAME = 1024  # bytes
_CONTENT = tuple(f"content{name}" for name in ("Disposition", "Encoding", "Language", "Type"))
_WRITABLE = (*_CONTENT, "cacheControl", "customTime", "metadata", "storageClass")
_COMPUTED = ("size", "md5Hash", "crc32c", "componentCount")
_UNSERVED = ("acl", "contexts", "customerEncryption", "eventBasedHold", "kmsKeyName", "retention", "temporaryHold")


class ObjectStore:
    """The generations of all objects."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.folder = folder

    @contextmanager
    def new_file(self, same_as: str | None = None) -> Generator[Path]:
        """Yield a new file, empty or the content of another; it is removed when the block fails.

        When the stand-in is stopped meanwhile it stays: a thread may still make an object of it.
        """
        path = self.folder / secrets.token_hex(16)
        try:
            path.touch() if same_as is None else os.link(self.folder / same_as, path)
            yield path
        except Exception:
            path.unlink(missing_ok=True)
            raise

    def bucket(self, name: str) -> Json:
        """Answer a bucket; ApiError 404 where there is none."""
        record = self._store.get(BUCKET, name)
        if record is None:
            raise not_found("The specified bucket does not exist.")
        return record["bucket"]

    def find(self, bucket: str, name: str, generation: str | None = None, kind: str = OBJECT) -> Json:
        """Answer the record of the live generation or of the one that is named; ApiError 404 where there is none."""
        record = self._find(bucket, name, generation, kind)
        if record is None:
            raise not_found(f"No such object: {bucket}/{name}")
        return record

    def open(self, bucket: str, name: str, query: Mapping[str, str]) -> tuple[Json, BinaryIO]:
        """Answer what a generation says of itself, and its content, if the conditions in `query` hold."""
        with self._store.transaction():  # its file is not removed meanwhile
            record = self.find(bucket, name, query.get("generation"))
            require(query, record["object"], reading=True)
            return record["object"], (self.folder / record["file"]).open("rb")

    def keep(self, place: Place, file: Path, asked: Json, query: Mapping[str, str], sums: Json | None = None) -> Json:
        """Make a file the live generation at a place if the conditions in `query` hold; its checksums may be known."""
        check_name(place[1])
        said = writable(asked) | (sums or measured(file, asked))
        sync(file)
        with self._store.transaction():
            bucket, live = self.bucket(place[0]), self._find(*place)
            if live and ONLY_NEW in query:
                raise lacking("delete", "the object that is there")
            require(query, live and live["object"])
            now, generation = timestamp(), time.time_ns() // 1000
            if live:
                generation = max(generation, int(live["object"]["generation"]) + 1)
                self._retire(bucket, live)
            made = {"kind": "storage#object", "bucket": place[0], "name": place[1], "generation": str(generation)}
            made |= {"id": f"{place[0]}/{place[1]}/{generation}", "timeCreated": now, "timeStorageClassUpdated": now}
            made |= {"storageClass": bucket.get("storageClass", "STANDARD"), "contentType": "application/octet-stream"}
            made = _stamped(made | without_nulls(said), 1)
            self._put(OBJECT, {"object": made, "file": file.name})
        return made

    def copy(self, source: Source, place: Place, asked: Json, query: Mapping[str, str]) -> Json:
        """Make a generation's content another object, with what it says of itself unless other things are asked."""
        with self._store.transaction():
            record = self.find(*source)
            found: Json = record["object"]
            require(query, found, "ifSource")
            said = writable(asked) if writable(asked).keys() - {"storageClass"} else found | writable(asked)
            sums = {field: found[field] for field in _COMPUTED if field in found}
            with self.new_file(record["file"]) as file:
                return self.keep(place, file, said, query, sums)

    def change(self, bucket: str, name: str, query: Mapping[str, str], asked: Json) -> Json:
        """Change what a generation says of itself."""
        with self._store.transaction():
            record = self.find(bucket, name, query.get("generation"))
            require(query, record["object"])
            changed = merged(record["object"], writable(asked))
            record["object"] = _stamped(changed, int(changed["metageneration"]) + 1)
            self._put(OBJECT, record)
        return record["object"]

    def delete(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        """Delete the generation that is named, or let the live one become noncurrent where the bucket keeps those."""
        with self._store.transaction():
            record = self.find(bucket, name, query.get("generation"))
            require(query, record["object"])
            self._retire(self.bucket(bucket), record, named="generation" in query)

    def drop(self, bucket: str) -> None:
        """Forget, within a transaction, all that goes with a bucket; ApiError 409 where it holds objects."""
        first = self._store.following(OBJECT, f"{bucket}/")
        if first and first[0].startswith(f"{bucket}/"):
            raise conflict("conflict", "The bucket you tried to delete is not empty.")
        for kind in (SOFT_DELETED, UPLOAD):
            for key, record in self._store.items(kind, f"{bucket}/"):
                self.forget(kind, key, record["file"])
        for key, _ in self._store.items(FINISHED, f"{bucket}/"):
            self._store.delete(FINISHED, key)

    def forget(self, kind: str, key: str, file: str) -> None:
        """Delete a resource that names a file, and the file."""
        with self._store.transaction():
            self._store.delete(kind, key)
            self._store.afterwards(partial((self.folder / file).unlink, missing_ok=True))

    def sweep(self) -> None:
        """Remove what could be restored until now, uploads of more than a week ago, and the files that a kill left."""
        week_ago = timestamp(datetime.now(UTC) - timedelta(days=7))
        for key, record in self._store.items(SOFT_DELETED):
            if _expired(record["object"]):
                self.forget(SOFT_DELETED, key, record["file"])
        for key, upload in self._store.items(UPLOAD):
            if upload["begun"] < week_ago:
                self.forget(UPLOAD, key, upload["file"])
        for key, upload in self._store.items(FINISHED):
            if upload["object"]["timeCreated"] < week_ago:
                self._store.delete(FINISHED, key)
        named = {record["file"] for kind in (OBJECT, SOFT_DELETED, UPLOAD) for _, record in self._store.items(kind)}
        for path in self.folder.iterdir():
            if path.name not in named:
                path.unlink()

    def page(self, bucket: str, query: Mapping[str, str]) -> Json:
        """Answer a page of objects and prefixes, which count together, in the order of their names."""
        if (size := min(int(query.get("maxResults", "0")) or _MOST, _MOST)) < 0:
            raise invalid(f"maxResults {size} is below 0.")
        kind, every = SOFT_DELETED if is_set(query, "softDeleted") else OBJECT, is_set(query, "versions")
        start, delimiter = f"{bucket}/{query.get('prefix', '')}", query.get("delimiter") or "\n"  # in no name
        key = max(start, f"{bucket}/{query.get('startOffset', '')}", _after(query.get("pageToken", "")))
        entries: list[tuple[str, str | Json]] = []
        while len(entries) <= size and (following := self._store.following(kind, key)):
            key, found = following[0], following[1]["object"]
            name: str = found["name"]
            if not key.startswith(start) or name >= (query.get("endOffset") or "\U0010ffff"):
                break
            within = name.find(delimiter, len(start) - len(bucket) - 1)
            if ("timeDeleted" in found and not every and kind == OBJECT) or _expired(found):
                continue
            if within >= 0:
                found = name[: within + len(delimiter)]
                key = f"{bucket}/{found}\U0010ffff"  # behind all that is in it
            entries.append((key, found))
        chosen = [entry for _, entry in entries[:size]]
        answer: Json = {"kind": "storage#objects", "items": [entry for entry in chosen if not isinstance(entry, str)]}
        answer["prefixes"] = [entry for entry in chosen if isinstance(entry, str)]
        if len(entries) > size:
            answer["nextPageToken"] = urlsafe_b64encode(entries[size - 1][0].encode()).decode()
        return {field: value for field, value in answer.items() if value}

    def _find(self, bucket: str, name: str, generation: str | None = None, kind: str = OBJECT) -> Json | None:
        if generation is not None:
            named = self._store.get(kind, f"{bucket}/{name}\0{generation}")
            return None if named is None or _expired(named["object"]) else named
        found = [record for _, record in self._store.items(kind, f"{bucket}/{name}\0")]
        return next((record for record in found if "timeDeleted" not in record["object"]), None)

    def _put(self, kind: str, record: Json) -> None:
        self._store.put(kind, _key(record), record)

    def _retire(self, bucket: Json, record: Json, *, named: bool = False) -> None:
        """Keep a generation that is no longer live or, if it was named, no longer wanted as its bucket says."""
        now, seconds = datetime.now(UTC), int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
        if bucket.get("versioning", {}).get("enabled") and not named:
            record["object"]["timeDeleted"] = timestamp(now)
            return self._put(OBJECT, record)
        if not seconds:
            return self.forget(OBJECT, _key(record), record["file"])
        until = timestamp(now + timedelta(seconds=seconds))
        record["object"] |= {"softDeleteTime": timestamp(now), "hardDeleteTime": until}
        self._store.delete(OBJECT, _key(record))
        return self._put(SOFT_DELETED, record)


def measured(file: Path, asked: Json) -> Json:
    """Answer size and checksums of a content; ApiError 400 where others are `asked`."""
    md5, crc32c = hashlib.md5(usedforsecurity=False), google_crc32c.Checksum()
    with file.open("rb") as content:
        while piece := content.read(CHUNK):
            md5.update(piece)
            crc32c.update(piece)
    sums = {"md5Hash": b64encode(md5.digest()).decode(), "crc32c": b64encode(crc32c.digest()).decode()}
    for name, value in sums.items():
        if asked.get(name, value) != value:
            raise invalid(f"Provided {name} {asked[name]!r} does not match the calculated {value!r}.")
    return {"size": str(file.stat().st_size), **sums}


def writable(asked: Json) -> Json:
    """Answer what of a description its client decides; ApiError 501 for what is not served of it."""
    if unserved := [field for field in _UNSERVED if asked.get(field)]:
        raise not_implemented(f"{unserved[0]} of an object")
    return {field: asked[field] for field in _WRITABLE if field in asked}


def check_name(name: str) -> None:
    """Refuse what is no name (https://cloud.google.com/storage/docs/objects#naming)."""
    if _NO_NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME:
        raise invalid(f"Invalid object name: {name[:40]!a}")


def require(query: Mapping[str, str], found: Json | None, condition: str = "if", *, reading: bool = False) -> None:
    """Raise ApiError 412, or 304, where an object is not as the conditions say; no object has generation 0."""
    for field in ("generation", "metageneration"):
        value = found[field] if found else "0"
        match = query.get(f"{condition}{field.title()}Match", value) == value
        if not match or query.get(f"{condition}{field.title()}NotMatch") == value:
            status = HTTPStatus.NOT_MODIFIED if reading and match else HTTPStatus.PRECONDITION_FAILED
            raise ApiError(status, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


def lacking(permission: str, where: str) -> ApiError:
    """403: the account has no grant."""
    denied = f"Permission 'storage.objects.{permission}' denied on {where} (or it may not exist)."
    return ApiError(HTTPStatus.FORBIDDEN, "forbidden", denied)


def sync(file: Path) -> None:
    """Wait until a file is on the disk, and its folder's entry."""
    for path in (file, file.parent):
        opened = os.open(path, os.O_RDONLY)
        os.fsync(opened)
        os.close(opened)


def _expired(found: Json) -> bool:
    return found.get("hardDeleteTime", "9999") <= timestamp()


def _key(record: Json) -> str:
    return "{bucket}/{name}\0{generation}".format(**record["object"])


def _stamped(said: Json, metageneration: int) -> Json:
    etag = b64encode(f"{said['generation']}/{metageneration}".encode()).decode()
    return {**said, "updated": timestamp(), "metageneration": str(metageneration), "etag": etag}


def is_set(query: Mapping[str, str], flag: str) -> bool:
    """Tell whether a flag is set."""
    return query.get(flag, "").lower() == "true"


def _after(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError as error:
        raise invalid(f"pageToken {token!r} is none that was answered.") from error
