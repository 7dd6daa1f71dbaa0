"""What an object holds: read in parts, checked when it is written, kept for a while once it is gone."""

import base64
import hashlib
import socket
from collections.abc import Generator

import httpx
import pytest
from google.api_core.exceptions import NotFound
from google.cloud import storage

from tests.gcp.standin import StandIn, poll

NAME = "held"


@pytest.fixture(scope="module")
def bucket(standin: StandIn) -> Generator[storage.Bucket]:
    with standin.storage() as client:
        bucket = client.create_bucket("held")
        yield bucket
        bucket.delete(force=True)


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-2", b"012", "bytes 0-2/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_is_answered_from_either_end(
    standin: StandIn, bucket: storage.Bucket, asked: str, content: bytes, told: str
) -> None:
    bucket.blob(NAME).upload_from_string("0123456789")

    answer = standin.http.get(f"/{bucket.name}/{NAME}", headers={"range": asked})

    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, content, told)


def test_a_range_beyond_the_end_is_refused_with_the_size(standin: StandIn, bucket: storage.Bucket) -> None:
    bucket.blob(NAME).upload_from_string("0123456789")

    answer = standin.http.get(f"/{bucket.name}/{NAME}", headers={"range": "bytes=10-"})

    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")


def test_a_content_of_another_checksum_than_was_said_is_refused(standin: StandIn, bucket: storage.Bucket) -> None:
    said = base64.b64encode(hashlib.md5(b"said", usedforsecurity=False).digest()).decode()
    blob = bucket.blob("other")
    blob.md5_hash = said
    before = len(standin.contents())

    with pytest.raises(httpx.HTTPStatusError, match="400"):
        standin.http.post(
            f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart",
            content=(f'--x\r\n\r\n{{"name": "other", "md5Hash": "{said}"}}\r\n--x\r\n\r\nsent\r\n--x--'.encode()),
            headers={"content-type": "multipart/related; boundary=x"},
        ).raise_for_status()

    assert not blob.exists()
    assert len(standin.contents()) == before


def test_a_copy_takes_the_description_that_is_given(standin: StandIn, bucket: storage.Bucket) -> None:
    bucket.blob(NAME).upload_from_string("x", content_type="text/plain")
    path = f"/storage/v1/b/{bucket.name}/o/{NAME}/copyTo/b/{bucket.name}/o/copied"

    standin.http.post(path, json={"contentType": "text/csv", "metadata": {"a": "b"}}).raise_for_status()

    copied = bucket.get_blob("copied")
    assert copied is not None
    assert (copied.content_type, copied.metadata, copied.download_as_bytes()) == ("text/csv", {"a": "b"}, b"x")


@pytest.mark.parametrize("action", ["delete", "overwrite"])
def test_what_is_deleted_or_overwritten_can_be_restored(bucket: storage.Bucket, action: str) -> None:
    blob = bucket.blob(f"to-{action}")
    blob.upload_from_string("before")
    lost = blob.generation
    if action == "delete":
        blob.delete()
    else:
        bucket.blob(blob.name).upload_from_string("after")

    assert [each.generation for each in bucket.list_blobs(prefix=blob.name, soft_deleted=True)] == [lost]
    bucket.restore_blob(blob.name, generation=lost)

    assert bucket.blob(blob.name).download_as_bytes() == b"before"


def test_a_bucket_without_soft_deletion_keeps_nothing(standin: StandIn) -> None:
    with standin.storage() as client:
        bucket = client.bucket("keeps-nothing")
        bucket.soft_delete_policy.retention_duration_seconds = 0
        bucket.create()
        before = len(standin.contents())
        for content in ("first", "second"):
            bucket.blob("x").upload_from_string(content)
        bucket.blob("x").delete()

        assert len(standin.contents()) == before
        assert not list(bucket.list_blobs(soft_deleted=True))
        bucket.delete()


def test_a_kill_in_the_middle_of_an_upload_leaves_nothing(own_standin: StandIn) -> None:
    url = httpx.URL(own_standin.url)
    with own_standin.storage() as client:
        bucket = client.create_bucket("cut-short")
        bucket.blob("whole").upload_from_string("x")
    head = f"POST /upload/storage/v1/b/cut-short/o?uploadType=media&name=cut HTTP/1.1\r\nHost: {url.host}\r\n"
    with socket.create_connection((url.host, url.port or 80)) as broken:
        broken.sendall(f"{head}Content-Length: 9999999\r\n\r\n".encode() + bytes(3 << 20))
        poll(lambda: max(file.stat().st_size for file in own_standin.contents()) >= 1 << 20, "the first pieces")
        own_standin.kill()
    assert len(own_standin.contents()) == 2

    own_standin.start()

    assert len(own_standin.contents()) == 1
    with own_standin.storage() as client:
        bucket = client.bucket("cut-short")
        assert bucket.blob("whole").download_as_bytes() == b"x"
        with pytest.raises(NotFound):
            bucket.blob("cut").download_as_bytes()
