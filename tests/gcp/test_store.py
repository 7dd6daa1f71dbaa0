"""What the store does with a transaction that cannot end, and with a request that is cut short."""

import asyncio
import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.gcp.object_store import BUCKET, ObjectStore
from local.gcp.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store.sqlite3")
    store.put(BUCKET, "bucket", {"bucket": {"softDeletePolicy": {"retentionDurationSeconds": "0"}}})
    return store


def _read(objects: ObjectStore) -> bytes:
    _, content = objects.open("bucket", "name", {})
    with content:
        return content.read()


def _write(objects: ObjectStore, text: str) -> None:
    with objects.new_file() as file:
        file.write_text(text)
        objects.keep(("bucket", "name"), file, {}, {})


def test_a_file_outlives_a_transaction_that_could_not_be_committed(store: Store, tmp_path: Path) -> None:
    objects = ObjectStore(store, tmp_path)
    _write(objects, "old")

    with pytest.raises(sqlite3.OperationalError), store.transaction():  # noqa: PT012 - what fails is the end
        _write(objects, "new")
        store._connection.execute("ROLLBACK")  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as on a full disk
    store.put("kind", "another", {})

    assert _read(objects) == b"old"


def test_a_request_that_is_cut_short_at_the_end_leaves_an_object_with_its_content(store: Store, tmp_path: Path) -> None:
    objects = ObjectStore(store, tmp_path)

    with ThreadPoolExecutor() as threads, contextlib.suppress(asyncio.CancelledError), objects.new_file() as file:
        file.write_text("new")
        threads.submit(objects.keep, ("bucket", "name"), file, {}, {})
        raise asyncio.CancelledError

    assert _read(objects) == b"new"
