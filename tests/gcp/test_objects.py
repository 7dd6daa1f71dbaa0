"""Objects, as Google's own client reads and writes them."""

import io
import os
import socket
import statistics
import time
from collections.abc import Generator

import httpx
import pytest
from google.api_core.exceptions import NotFound
from google.cloud import storage

from tests.gcp.standin import StandIn


@pytest.fixture(scope="module")
def bucket(standin: StandIn) -> Generator[storage.Bucket]:
    with standin.storage() as client:
        bucket = client.create_bucket("objects")
        yield bucket
        bucket.delete(force=True)


def _described(bucket: storage.Bucket, name: str) -> storage.Blob:
    blob = bucket.get_blob(name)
    assert blob is not None
    return blob


@pytest.mark.parametrize("name", ["plain", "plain/below", "a b/ü%2F+?#&.json", "dots/../up", "end/", "double//slash"])
def test_an_object_of_any_name_comes_back_as_it_was(bucket: storage.Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(f"content of {name}", content_type="application/json")
    assert bucket.blob(name).download_as_bytes() == f"content of {name}".encode()
    assert _described(bucket, name).content_type == "application/json"
    assert name in [blob.name for blob in bucket.list_blobs()]


@pytest.mark.parametrize("chunk", [None, 1 << 20])
def test_a_large_object_goes_up_resumably_and_comes_down_whole(bucket: storage.Bucket, chunk: int | None) -> None:
    content = os.urandom(10 << 20)
    name = f"large-{chunk}"
    blob = bucket.blob(name, chunk_size=chunk)
    blob.upload_from_file(io.BytesIO(content))
    assert blob.download_as_bytes() == content
    assert _described(bucket, name).size == len(content)
    assert blob.download_as_bytes(start=5, end=9) == content[5:10]


def test_a_cancelled_upload_is_gone(standin: StandIn, bucket: storage.Bucket) -> None:
    url = str(bucket.blob("given up").create_resumable_upload_session())
    part = {"content-range": f"bytes 0-{(1 << 18) - 1}/*"}
    assert standin.http.put(url, content=bytes(1 << 18), headers=part).status_code == 308

    assert standin.http.delete(url).status_code == 499

    assert standin.http.put(url, headers={"content-range": "bytes */*"}).status_code == 404
    assert bucket.get_blob("given up") is None


def test_each_piece_of_a_large_object_takes_the_same_time(bucket: storage.Bucket) -> None:
    seconds: list[float] = []
    with bucket.blob("pieces").open("wb", chunk_size=1 << 20) as upload:
        for _ in range(300):
            start = time.perf_counter()
            upload.write(bytes(1 << 20))  # pyright: ignore[reportArgumentType] - opened for bytes
            seconds.append(time.perf_counter() - start)

    assert _described(bucket, "pieces").size == 300 << 20
    assert statistics.median(seconds[-100:]) < 3 * statistics.median(seconds[1:101])


def test_an_object_without_a_content_type_gets_google_s_default(standin: StandIn, bucket: storage.Bucket) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=untyped"
    assert standin.http.post(path, content=b"x").json()["contentType"] == "application/octet-stream"


def test_objects_are_listed_by_prefix_and_folder(bucket: storage.Bucket) -> None:
    for name in ("run/1/model", "run/2/model", "run/metrics"):
        bucket.blob(name).upload_from_string("x")
    listed = bucket.list_blobs(prefix="run/", delimiter="/")
    assert [blob.name for blob in listed] == ["run/metrics"]
    assert listed.prefixes == {"run/1/", "run/2/"}


def test_an_object_is_copied_composed_and_described(bucket: storage.Bucket) -> None:
    first = bucket.blob("first")
    first.upload_from_string("ab")
    bucket.copy_blob(first, bucket, "second")
    bucket.blob("both").compose([first, bucket.blob("second")])
    both = _described(bucket, "both")
    both.metadata = {"made": "here"}
    both.patch()
    assert both.download_as_bytes() == b"abab"
    assert (_described(bucket, "both").metadata, both.size) == ({"made": "here"}, 4)


def test_a_deleted_object_is_gone(bucket: storage.Bucket) -> None:
    bucket.blob("gone").upload_from_string("x")
    bucket.blob("gone").delete()
    with pytest.raises(NotFound):
        bucket.blob("gone").download_as_bytes()


def test_an_object_in_a_bucket_that_is_not_there_is_a_404(standin: StandIn) -> None:
    response = standin.http.post("/upload/storage/v1/b/nowhere/o?uploadType=media&name=x", content=b"x")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "The specified bucket does not exist."


def test_an_object_is_reached_by_its_plain_path_and_nothing_else_is(standin: StandIn, bucket: storage.Bucket) -> None:
    bucket.blob("plain path").upload_from_string("here")
    assert standin.http.get("/objects/plain%20path").text == "here"
    assert standin.http.head("/objects/plain%20path").headers["content-length"] == "4"
    assert standin.http.get("/wipe").status_code == 404
    assert standin.http.get("/never-made/x").status_code == 404


def test_a_condition_that_the_emulator_would_ignore_is_refused_by_name(
    standin: StandIn, bucket: storage.Bucket
) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x&ifGenerationMatch=0"
    response = standin.http.post(path, content=b"x")
    assert response.status_code == 501
    assert "ifGenerationMatch" in response.json()["error"]["message"]


def test_a_slow_upload_does_not_hold_up_other_clients(standin: StandIn, bucket: storage.Bucket) -> None:
    bucket.blob("quick").upload_from_string("x")
    url = httpx.URL(standin.url)
    head = f"POST /upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=slow HTTP/1.1\r\nHost: {url.host}\r\n"
    with socket.create_connection((url.host, url.port or 80)) as slow:
        slow.sendall(f"{head}Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nab".encode())
        assert bucket.blob("quick").download_as_bytes(timeout=5) == b"x"
        slow.sendall(b"cd")
        assert slow.recv(15).startswith(b"HTTP/1.1 200")
    assert bucket.blob("slow").download_as_bytes() == b"abcd"
