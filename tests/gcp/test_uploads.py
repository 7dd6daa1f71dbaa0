"""Uploads in every form that clients have: plain, in two parts, in pieces."""

import gzip
import io
import os
import socket
import statistics
import time
from collections.abc import Generator

import httpx
import pytest
from google.cloud import storage

from tests.gcp.standin import StandIn, described

HALF, TWO = gzip.compress(os.urandom(9999))[:5000], gzip.compress(b"one") + gzip.compress(b"two")


@pytest.fixture(scope="module")
def bucket(standin: StandIn) -> Generator[storage.Bucket]:
    with standin.storage() as client:
        bucket = client.create_bucket("uploads")
        yield bucket
        bucket.delete(force=True)


@pytest.mark.parametrize("chunk", [None, 1 << 20])
def test_a_large_object_goes_up_resumably_and_comes_down_whole(bucket: storage.Bucket, chunk: int | None) -> None:
    content = os.urandom(10 << 20)
    name = f"large-{chunk}"
    blob = bucket.blob(name, chunk_size=chunk)
    blob.upload_from_file(io.BytesIO(content))
    assert blob.download_as_bytes() == content
    assert described(bucket, name).size == len(content)
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

    assert described(bucket, "pieces").size == 300 << 20
    assert statistics.median(seconds[-100:]) < 3 * statistics.median(seconds[1:101])


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("quote", ["", '"', "'"])
@pytest.mark.parametrize("content", [b"", b"\r\n--", b"From: a\n\nmail\n", bytes(range(256)), b"a\r"])
def test_an_upload_in_parts_is_read_as_any_client_writes_it(
    standin: StandIn, bucket: storage.Bucket, line_end: str, quote: str, content: bytes
) -> None:
    metadata = '{"name": "parts", "metadata": {"made": "here"}}'
    head = [
        "--==b==",
        "Content-Type: application/json",
        "",
        metadata,
        "--==b==",
        "Content-Type: message/rfc822",
        "",
        "",
    ]
    body = line_end.join(head).encode() + content + f"{line_end}--==b==--".encode()

    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    kind = {"Content-Type": f"multipart/related; boundary={quote}==b=={quote}"}
    assert standin.http.post(path, content=body, headers=kind).status_code == 200

    parts = described(bucket, "parts")
    assert parts.download_as_bytes() == content
    assert (parts.metadata, parts.content_type) == ({"made": "here"}, "message/rfc822")


@pytest.mark.parametrize("content", [b"", b'{"a": 1}'])
@pytest.mark.parametrize("path", ["/uploads/as-it-is", "/upload/storage/v1/b/uploads/o?uploadType=media&name=as-it-is"])
@pytest.mark.usefixtures("bucket")
def test_a_plain_upload_is_kept_as_it_is(standin: StandIn, path: str, content: bytes) -> None:
    method = "PUT" if path.startswith("/uploads") else "POST"
    sent = standin.http.request(method, path, content=content, headers={"Content-Type": "application/json"})

    assert sent.status_code == 200
    assert standin.http.get("/uploads/as-it-is").content == content


def test_parts_without_headers_keep_their_content(standin: StandIn, bucket: storage.Bucket) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    body = b'--b\r\n\r\n{"name": "bare"}\r\n--b\r\n\r\nfirst\r\n\r\nsecond\r\n--b--'
    standin.http.post(path, content=body, headers={"Content-Type": "multipart/related; boundary=b"}).raise_for_status()

    assert bucket.blob("bare").download_as_bytes() == b"first\r\n\r\nsecond"


def test_an_upload_that_has_nothing_yet_says_no_range_and_takes_no_more_than_it_announced(
    standin: StandIn, bucket: storage.Bucket
) -> None:
    url = str(bucket.blob("exact").create_resumable_upload_session())
    asked = standin.http.put(url, headers={"content-range": "bytes */*"})
    assert (asked.status_code, asked.headers.get("range")) == (308, None)

    assert standin.http.put(url, content=b"12345", headers={"content-range": "bytes 0-1/2"}).status_code == 400
    assert standin.http.put(url, content=b"12", headers={"content-range": "bytes 0-1/2"}).status_code == 200


@pytest.mark.parametrize(
    "body", [b"x", b"--b\r\n\r\n{}\r\n--b--", b"--b\r\na: b\r\n\r\n{\r\n--b\r\na: b\r\n\r\nx\r\n--b--"]
)
def test_a_body_that_has_not_two_parts_is_refused(standin: StandIn, bucket: storage.Bucket, body: bytes) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart&name=none"
    response = standin.http.post(path, content=body, headers={"Content-Type": "multipart/related; boundary=b"})

    assert response.status_code == 400
    assert "not multipart/related" in response.text


def test_the_client_for_go_and_gcloud_upload_in_pieces_in_their_own_ways(
    standin: StandIn, bucket: storage.Bucket
) -> None:
    began = standin.http.post(f"/resumable/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name=pieces of go")
    piece = {"content-range": "bytes 0-1/*", "x-guploader-no-308": "yes"}
    more = standin.http.put(began.headers["location"], content=b"ab", headers=piece)
    assert (more.status_code, more.headers["x-http-status-code-override"]) == (200, "308")

    done = standin.http.put(began.headers["location"], content=b"c", headers={"content-range": "bytes 2-2/3"})

    assert (done.status_code, done.json()["size"]) == (200, "3")
    assert bucket.blob("pieces of go").download_as_bytes() == b"abc"


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


@pytest.mark.parametrize("field", ["md5Hash", "crc32c"])
def test_a_content_of_another_checksum_is_refused(standin: StandIn, bucket: storage.Bucket, field: str) -> None:
    before = len(standin.contents())
    metadata = f'{{"name": "damaged", "{field}": "AAAAAA=="}}'.encode()
    body = b"--b\r\na: b\r\n\r\n" + metadata + b"\r\n--b\r\na: b\r\n\r\nx\r\n--b--"
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    refused = standin.http.post(path, content=body, headers={"Content-Type": "multipart/related; boundary=b"})
    assert (refused.status_code, field in refused.text) == (400, True)

    url = str(bucket.blob("damaged").create_resumable_upload_session())
    wrong = {"content-range": "bytes 0-0/1", "x-goog-hash": f"{field.removesuffix('Hash')}=AAAAAA=="}
    assert standin.http.put(url, content=b"x", headers=wrong).status_code == 400

    assert bucket.get_blob("damaged") is None
    assert len(standin.contents()) == before


def test_a_piece_that_is_sent_again_is_taken_and_one_that_leaves_a_gap_is_not(
    standin: StandIn, bucket: storage.Bucket
) -> None:
    url = str(bucket.blob("again").create_resumable_upload_session())

    def put(content: bytes, where: str) -> httpx.Response:
        return standin.http.put(url, content=content, headers={"content-range": f"bytes {where}"})

    assert put(b"ab", "0-1/*").headers["range"] == "bytes=0-1"
    assert put(b"abc", "0-2/*").headers["range"] == "bytes=0-2"
    assert put(b"e", "4-4/5").status_code == 400
    assert put(b"de", "3-4/5").status_code == 200
    assert bucket.blob("again").download_as_bytes() == b"abcde"


def test_a_body_that_was_compressed_for_the_way_is_kept_plain(standin: StandIn, bucket: storage.Bucket) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=unpacked"
    standin.http.post(path, content=iter([gzip.compress(b"plain")]), headers={"Content-Encoding": "gzip"})

    assert bucket.blob("unpacked").download_as_bytes() == b"plain"


def test_a_finished_upload_answers_its_object_again(standin: StandIn, bucket: storage.Bucket) -> None:
    upload = str(bucket.blob("finished").create_resumable_upload_session())
    made = standin.http.put(upload, content=b"x", headers={"content-range": "bytes 0-0/1"})

    again = standin.http.put(upload, headers={"content-range": "bytes */1"})

    assert (made.status_code, again.status_code) == (200, 200)
    assert again.json() == made.json()


def test_what_was_received_is_never_taken_back(standin: StandIn, bucket: storage.Bucket) -> None:
    upload = str(bucket.blob("kept").create_resumable_upload_session())
    standin.http.put(upload, content=b"a" * 20, headers={"content-range": "bytes 0-19/*"})

    shorter = standin.http.put(upload, content=b"b" * 5, headers={"content-range": "bytes 0-4/*"})
    longer = standin.http.put(upload, content=b"b" * 30, headers={"content-range": "bytes 10-24/*"})
    last = standin.http.put(upload, content=b"b" * 10, headers={"content-range": "bytes 15-24/25"})

    assert (shorter.status_code, shorter.headers["range"]) == (308, "bytes=0-19")
    assert (longer.status_code, last.status_code) == (400, 200)
    assert bucket.blob("kept").download_as_bytes() == b"a" * 20 + b"b" * 5


@pytest.mark.parametrize("body", [HALF, TWO], ids=["half", "two"])
def test_a_compressed_body_that_is_not_whole_is_refused(standin: StandIn, bucket: storage.Bucket, body: bytes) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=half"

    assert standin.http.post(path, content=body, headers={"content-encoding": "gzip"}).status_code == 400
    assert not bucket.blob("half").exists()


@pytest.mark.parametrize(
    "metadata", ['{"metadata": {"k": "\\ud800"}}', '{"name": ' + "[" * 9999 + "]" * 9999 + "}", '{"name": null}']
)
def test_a_description_that_cannot_be_kept_is_refused(standin: StandIn, bucket: storage.Bucket, metadata: str) -> None:
    upload = f"/upload/storage/v1/b/{bucket.name}/o"
    body = f"--x\r\n\r\n{metadata}\r\n--x\r\n\r\nx\r\n--x--".encode()
    related = {"content-type": "multipart/related; boundary=x"}

    assert standin.http.post(f"{upload}?uploadType=multipart", content=body, headers=related).status_code == 400
    assert standin.http.post(f"{upload}?uploadType=resumable", content=metadata.encode()).status_code == 400
    assert list(bucket.list_blobs())
