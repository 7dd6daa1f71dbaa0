"""`backup` and `backups`: database and artifacts together, into the stack's own bucket for that.

The server goes on working. The database is exported first, at one moment; artifacts are copied afterwards. What a run
of the export refers to was stored before that moment, so it is copied, unless somebody deletes it in between: garbage
collection does so to runs deleted long ago. Artifacts of later runs may be copied too; they do no harm.
"""

import gzip
import zlib
from datetime import UTC, datetime
from itertools import takewhile

from google.cloud.storage.fileio import BlobReader

from operations.bucket import Folder, StoredObject, copy, differing, known, total
from operations.clients import cloud_storage
from operations.errors import UserError
from operations.instance import Instance
from operations.manifest import ARTIFACTS, DUMP, Manifest, kept
from operations.progress import say, size, step
from operations.stack import Stack

_RUNS, _END = b"COPY public.runs (", b"\\.\n"


def backup(stack: Stack) -> str:
    """Make a backup and return its `gs://` URL."""
    now, database = datetime.now(UTC), stack.database
    with cloud_storage(stack) as client, Instance(stack) as instance:
        source = Folder(bucket=client.bucket(stack.artifacts))
        target = Folder(bucket=client.bucket(stack.backups)).folder(f"{now:%Y-%m-%dT%H%M%SZ}")
        try:
            instance.export(database, f"{target.url}/{DUMP}")
            dump, runs = _read(target)
            _copy_artifacts(source, target.folder(ARTIFACTS))
            manifest = Manifest(
                stack=stack.name,
                time=now.isoformat(timespec="seconds"),
                image=stack.image,
                database=database,
                runs=runs,
                artifact_access=stack.setting("mlflow:artifactAccess"),
                artifact_root=source.url,
                dump=dump,
                artifacts=target.folder(ARTIFACTS).listing(),
            )
            manifest.write(target)
        except BaseException:
            say(
                f"{target.url} has no manifest.json, so it is no backup; nothing else was changed. Run the same command"
                f" again, and remove this one with `gcloud storage rm --recursive {target.url}`"
            )
            raise
    say(f"complete: {runs} runs, {size(dump.size)} of database; {total(manifest.artifacts)} of artifacts")
    return target.url


def backups(stack: Stack) -> list[str]:
    """Return the `gs://` URLs of the stack's complete backups, the oldest first."""
    with cloud_storage(stack) as client:
        complete, others = kept(Folder(bucket=client.bucket(stack.backups)))
    for each in others:
        say(f"{each.url} is not complete: it is being made, or remove it by `gcloud storage rm --recursive {each.url}`")
    return [each.url for each in complete]


def _read(target: Folder) -> tuple[StoredObject, int]:
    """Read an export to its end, which proves that it can be read, and return it and how many runs are in it."""
    dump = target.blob(DUMP)
    dump.reload()
    # raw_download: Cloud Storage would unpack what says of itself that it is packed.
    with (
        step(f"database: reading back {size(int(dump.size or 0))}") as still,
        BlobReader(dump, raw_download=True) as packed,
        gzip.open(packed) as lines,
    ):
        try:
            if not any(line.startswith(_RUNS) for line in lines):
                raise UserError(f"{target.url}/{DUMP}: there is no table runs in it; has the server ever started?")
            runs = sum(1 for _ in takewhile(lambda line: line != _END, lines))
            while lines.read(1 << 20):
                still("")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UserError(f"{target.url}/{DUMP} cannot be read to its end: {error}") from error
    return known(dump), runs


def _copy_artifacts(source: Folder, target: Folder) -> None:
    with step(f"artifacts: copying {source.url} to {target.url}") as still:
        wanted = source.listing()
        gone = copy(wanted, source, target, still)
    if gone:
        say(f"artifacts: {len(gone)} were deleted before they were copied, such as {gone[0]}")
    found = target.listing()
    changed = [name for name in differing(wanted, found) if name in found]
    if changed:
        say(f"artifacts: {len(changed)} were written anew meanwhile and are kept as copied, such as {changed[0]}")
    missing = wanted.keys() - found.keys() - set(gone)
    if missing:
        raise UserError(f"{target.url}: {len(missing)} objects are missing, such as {min(missing)}")
