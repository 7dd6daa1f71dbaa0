"""Objects of Cloud Storage by the thousand: listed, copied within the service, compared by checksum."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from google.api_core.exceptions import NotFound
from google.cloud import storage

from operations.errors import UserError
from operations.progress import size

_AT_ONCE = 8  # what the client's pool of connections holds
_SECONDS = 300  # a large object is copied piece by piece, each of which takes less

Objects = Mapping[str, "StoredObject"]
"""Objects by their names below a folder."""


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """What an object is known by.

    Attributes:
        size: in bytes.
        crc32c: checksum (base64) that Cloud Storage keeps of every object.

    """

    size: int
    crc32c: str


@dataclass(frozen=True, kw_only=True)
class Folder:
    """All objects of a bucket whose names begin alike.

    Attributes:
        bucket: it lies in.
        prefix: what the names begin with; empty, or with a slash at the end.

    """

    bucket: storage.Bucket
    prefix: str = ""

    @property
    def url(self) -> str:
        """`gs://` URL, without a slash at the end."""
        return f"gs://{self.bucket.name}/{self.prefix}".rstrip("/")

    def folder(self, name: str) -> "Folder":
        """Return a folder within."""
        return Folder(bucket=self.bucket, prefix=f"{self.prefix}{name}/")

    def blob(self, name: str) -> storage.Blob:
        """Return an object by its name within."""
        return self.bucket.blob(f"{self.prefix}{name}")

    def listing(self) -> dict[str, StoredObject]:
        """Return every object within."""
        return {str(each.name).removeprefix(self.prefix): known(each) for each in self._blobs()}

    def _blobs(self) -> Iterable[storage.Blob]:
        return self.bucket.client.list_blobs(self.bucket, prefix=self.prefix or None)

    def delete(self, names: Iterable[str], still: Callable[[str], None]) -> None:
        """Delete objects; one that is gone already counts as deleted."""
        _each(names, lambda name: _unless_missing(self.blob(name).delete), still, lambda done: f"{done} deleted")


def known(blob: storage.Blob) -> StoredObject:
    """Return what an object is known by."""
    return StoredObject(size=int(blob.size or 0), crc32c=str(blob.crc32c))


def total(objects: Objects) -> str:
    """Return how many objects there are, and how large they are together."""
    return f"{len(objects)} objects, {size(sum(each.size for each in objects.values()))}"


def differing(wanted: Objects, found: Objects) -> list[str]:
    """Return the names of objects that are missing or not the same."""
    return [name for name, each in wanted.items() if found.get(name) != each]


def copy(names: Iterable[str], source: Folder, target: Folder, still: Callable[[str], None]) -> list[str]:
    """Copy objects within the service and return the names of those that are no longer there."""

    def one(name: str) -> bool:
        return _unless_missing(lambda: _copy(source.blob(name), target.blob(name)))

    return _each(names, one, still, lambda done: f"{done} copied")


def check(wanted: Objects, folder: Folder) -> None:
    """Hold what a folder has against what it should have.

    Raises:
        UserError: an object is missing or another one; the message names it.

    """
    wrong = differing(wanted, folder.listing())
    if wrong:
        raise UserError(
            f"{folder.url}: {len(wrong)} of {len(wanted)} objects are missing or have another checksum, such as"
            f" {', '.join(wrong[:3])}"
        )


def _copy(source: storage.Blob, target: storage.Blob) -> None:
    token, _, _ = target.rewrite(source, timeout=_SECONDS)
    while token is not None:
        token, _, _ = target.rewrite(source, token=token, timeout=_SECONDS)


def _unless_missing(action: Callable[[], object]) -> bool:
    try:
        action()
    except NotFound:
        return False
    return True


def _each(
    names: Iterable[str], action: Callable[[str], bool], still: Callable[[str], None], tell: Callable[[int], str]
) -> list[str]:
    """Act on each, some at once, and return the names of those that were missing."""
    missing: list[str] = []
    todo = list(names)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, (name, found) in enumerate(zip(todo, pool.map(action, todo), strict=True), start=1):
            if not found:
                missing.append(name)
            still(f"{tell(done)} of {len(todo)}")
    return missing
