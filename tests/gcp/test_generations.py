"""Generations of an object: which one is current, which are kept, and what a request may say of them."""

from collections.abc import Generator

import pytest
from google.cloud import storage

from tests.gcp.standin import StandIn, described


@pytest.fixture(scope="module")
def bucket(standin: StandIn) -> Generator[storage.Bucket]:
    with standin.storage() as client:
        bucket = client.create_bucket("generations")
        yield bucket
        bucket.delete(force=True)


def test_the_upload_that_ends_last_is_the_current_generation(standin: StandIn, bucket: storage.Bucket) -> None:
    url = str(bucket.blob("raced").create_resumable_upload_session())
    bucket.blob("raced").upload_from_string("first to end")
    before = described(bucket, "raced").generation or 0

    standin.http.put(url, content=b"last to end", headers={"content-range": "bytes 0-10/11"}).raise_for_status()

    assert (described(bucket, "raced").generation or 0) > before


def test_an_object_is_composed_of_the_generations_that_are_named(standin: StandIn, bucket: storage.Bucket) -> None:
    bucket.blob("source").upload_from_string("x")
    path = f"/storage/v1/b/{bucket.name}/o/composed/compose"
    generation = str(described(bucket, "source").generation)

    def compose(**source: object) -> int:
        return standin.http.post(path, json={"sourceObjects": [{"name": "source", **source}]}).status_code

    assert compose(generation=generation) == 200
    assert compose(generation="1") == 404
    assert compose(objectPreconditions={"ifGenerationMatch": "1"}) == 412


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("ifGenerationMatch=0", 412),
        ("ifGenerationMatch={generation}", 200),
        ("ifGenerationNotMatch={generation}", 412),
        ("ifMetagenerationMatch=2", 412),
        ("ifMetagenerationNotMatch=2", 200),
    ],
)
def test_an_upload_holds_to_its_condition(
    standin: StandIn, bucket: storage.Bucket, condition: str, status: int
) -> None:
    bucket.blob("conditional").upload_from_string("old")
    asked = condition.format(generation=described(bucket, "conditional").generation)

    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=conditional&{asked}"
    assert standin.http.post(path, content=b"new").status_code == status

    assert bucket.blob("conditional").download_as_bytes() == (b"new" if status == 200 else b"old")


def test_reading_changing_and_deleting_hold_to_their_conditions(standin: StandIn, bucket: storage.Bucket) -> None:
    bucket.blob("held").upload_from_string("x")
    held = described(bucket, "held")
    path = f"/storage/v1/b/{bucket.name}/o/held"

    assert standin.http.get(f"{path}?ifGenerationNotMatch={held.generation}").status_code == 304
    assert standin.http.get(f"{path}?ifGenerationMatch=1").status_code == 412
    assert standin.http.patch(f"{path}?ifMetagenerationMatch=7", json={}).status_code == 412
    assert standin.http.delete(f"{path}?ifGenerationMatch=1").status_code == 412
    copied = f"{path}/rewriteTo/b/{bucket.name}/o/held?ifSourceGenerationMatch=1"
    assert standin.http.post(copied).status_code == 412
    assert described(bucket, "held").generation == held.generation
    assert standin.http.delete(f"{path}?ifGenerationMatch={held.generation}").status_code in (200, 204)


def test_a_bucket_with_versioning_keeps_every_generation_until_it_is_deleted(standin: StandIn) -> None:
    with standin.storage() as client:
        kept = client.create_bucket("kept")
        kept.versioning_enabled = True
        kept.patch()
        for content in ("one", "two", "three"):
            kept.blob("folder/a").upload_from_string(content)
        kept.blob("folder/a").delete()
        assert list(kept.list_blobs()) == []
        assert list(kept.list_blobs(delimiter="/").prefixes) == []

        generations = list(client.list_blobs("kept", versions=True, page_size=2))

        assert [old.download_as_bytes() for old in generations] == [b"one", b"two", b"three"]
        assert all(old.time_deleted for old in generations)
        copy = kept.copy_blob(generations[0], kept, "folder/a", source_generation=generations[0].generation)
        assert copy.download_as_bytes() == b"one"
        for old in [*generations, copy]:
            kept.blob("folder/a", generation=old.generation).delete()
        kept.delete()


def test_what_is_overwritten_or_deleted_may_be_restored_while_the_bucket_keeps_it(standin: StandIn) -> None:
    with standin.storage() as client:
        before, soft = len(standin.contents()), client.create_bucket("soft")
        for content in ("one", "two"):
            soft.blob("a").upload_from_string(content)
        soft.blob("a").delete()
        assert list(soft.list_blobs(versions=True)) == []

        one, two = soft.list_blobs(soft_deleted=True)

        assert all(each.soft_delete_time and each.hard_delete_time for each in (one, two))
        assert soft.restore_blob("a", generation=one.generation).download_as_bytes() == b"one"
        soft.restore_blob("a", generation=two.generation)
        assert soft.blob("a").download_as_bytes() == b"two"
        assert soft.get_blob("a", generation=one.generation, soft_deleted=True) is not None
        soft.blob("a").delete()
        soft.delete()
        assert len(standin.contents()) == before


def test_without_soft_deletion_what_is_overwritten_is_gone(standin: StandIn) -> None:
    with standin.storage() as client:
        hard = client.create_bucket("hard")
        path = "/storage/v1/b/hard"
        standin.http.patch(path, json={"softDeletePolicy": {"retentionDurationSeconds": 0}}).raise_for_status()
        before = len(standin.contents())
        for _ in range(2):
            hard.blob("a").upload_from_string("x")

        assert list(hard.list_blobs(soft_deleted=True)) == []
        assert len(standin.contents()) == before + 1
        hard.delete(force=True)
