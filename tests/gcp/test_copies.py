"""Many objects: copied from bucket to bucket within the service, and listed by the page."""

from collections.abc import Generator

import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import storage

from tests.gcp.standin import StandIn


@pytest.fixture(scope="module")
def buckets(standin: StandIn) -> Generator[tuple[storage.Bucket, storage.Bucket]]:
    with standin.storage() as client:
        pair = client.create_bucket("copied-from"), client.create_bucket("copied-to")
        yield pair
        for bucket in pair:
            bucket.delete(force=True)


@pytest.fixture(scope="module")
def many(buckets: tuple[storage.Bucket, storage.Bucket]) -> storage.Bucket:
    for name in ["many/b/1", "many/a/1", *(f"many/{n}" for n in range(6, 0, -1))]:
        buckets[0].blob(name).upload_from_string(name)
    return buckets[0]


def test_an_object_is_copied_into_another_bucket_with_all_that_describes_it(
    buckets: tuple[storage.Bucket, storage.Bucket],
) -> None:
    source, target = buckets
    blob = source.blob("models/a b")
    blob.metadata = {"run": "1"}
    blob.upload_from_string(b"\0weights", content_type="application/x-model")
    source.copy_blob(blob, target, "backup/a b")
    token, rewritten, size = target.blob("backup/rewritten").rewrite(blob)
    assert (token, rewritten, size) == (None, 8, 8)
    for name in ("backup/a b", "backup/rewritten"):
        copy = target.get_blob(name)
        assert copy is not None
        assert (copy.content_type, copy.metadata, copy.crc32c) == ("application/x-model", {"run": "1"}, blob.crc32c)
        assert copy.download_as_bytes() == b"\0weights"
    assert blob.exists()


def test_what_is_not_there_is_not_copied(buckets: tuple[storage.Bucket, storage.Bucket]) -> None:
    source, target = buckets
    with pytest.raises(NotFound):
        source.copy_blob(source.blob("nothing"), target)
    there = source.blob("there")
    there.upload_from_string("x")
    with pytest.raises(NotFound, match="bucket does not exist"):
        source.copy_blob(there, source.client.bucket("no-such-bucket"))


def test_a_listing_comes_by_the_page_in_the_order_of_names(many: storage.Bucket) -> None:
    pages = [[blob.name for blob in page] for page in many.list_blobs(prefix="many/", page_size=3).pages]
    assert [len(page) for page in pages] == [3, 3, 2]
    names = [name for page in pages for name in page]
    assert names == [*(f"many/{n}" for n in range(1, 7)), "many/a/1", "many/b/1"]


def test_folders_count_as_entries_of_a_page(many: storage.Bucket) -> None:
    listed = many.list_blobs(prefix="many/", delimiter="/", page_size=7)
    pages = [[blob.name for blob in page] for page in listed.pages]
    assert [len(page) for page in pages] == [6, 0]
    assert listed.prefixes == {"many/a/", "many/b/"}


def test_a_listing_may_end_early_and_a_made_up_token_is_refused(standin: StandIn, many: storage.Bucket) -> None:
    assert [blob.name for blob in many.list_blobs(prefix="many/", max_results=2)] == ["many/1", "many/2"]
    assert standin.http.get(f"/storage/v1/b/{many.name}/o?pageToken=x").status_code == 400


def test_a_bucket_with_objects_is_kept_unless_its_removal_is_forced(standin: StandIn) -> None:
    with standin.storage() as client:
        bucket = client.create_bucket("forced")
        for name in ("a", "a/b"):
            bucket.blob(name).upload_from_string("x")
        with pytest.raises(Conflict, match="not empty"):
            bucket.delete()
        bucket.delete(force=True)
        assert not bucket.exists()
