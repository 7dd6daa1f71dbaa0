"""Objects, as Google's own client reads and writes them."""

import gzip
import io
import os
import socket
import statistics
import time
from collections.abc import Generator
from urllib.parse import quote

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

    parts = _described(bucket, "parts")
    assert parts.download_as_bytes() == content
    assert (parts.metadata, parts.content_type) == ({"made": "here"}, "message/rfc822")


@pytest.mark.parametrize("content", [b"", b'{"a": 1}'])
@pytest.mark.parametrize("path", ["/objects/as-it-is", "/upload/storage/v1/b/objects/o?uploadType=media&name=as-it-is"])
@pytest.mark.usefixtures("bucket")
def test_a_plain_upload_is_kept_as_it_is(standin: StandIn, path: str, content: bytes) -> None:
    method = "PUT" if path.startswith("/objects") else "POST"
    sent = standin.http.request(method, path, content=content, headers={"Content-Type": "application/json"})

    assert sent.status_code == 200
    assert standin.http.get("/objects/as-it-is").content == content


def test_parts_without_headers_keep_their_content(standin: StandIn, bucket: storage.Bucket) -> None:
    path = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    body = b'--b\r\n\r\n{"name": "bare"}\r\n--b\r\n\r\nfirst\r\n\r\nsecond\r\n--b--'
    standin.http.post(path, content=body, headers={"Content-Type": "multipart/related; boundary=b"}).raise_for_status()

    assert bucket.blob("bare").download_as_bytes() == b"first\r\n\r\nsecond"


@pytest.mark.parametrize("name", ["a\nb", "a\r", ".", "..", "x" * 1025])
def test_a_name_that_cloud_storage_refuses_is_refused(standin: StandIn, bucket: storage.Bucket, name: str) -> None:
    for kind, content in (("media", b"x"), ("resumable", None)):
        path = f"/upload/storage/v1/b/{bucket.name}/o"
        refused = standin.http.post(path, params={"uploadType": kind, "name": name}, content=content)
        assert (refused.status_code, "Invalid object name" in refused.text) == (400, True)


def test_metadata_may_be_in_any_script(bucket: storage.Bucket) -> None:
    blob = bucket.blob("described")
    blob.metadata = {"from": "日本"}
    blob.upload_from_string("x")

    assert blob.download_as_bytes() == b"x"


def test_what_is_called_compressed_and_is_not_comes_as_it_is(standin: StandIn, bucket: storage.Bucket) -> None:
    blob = bucket.blob("falsely compressed")
    blob.content_encoding = "gzip"
    blob.upload_from_string("plain")

    answer = standin.http.get(f"/{bucket.name}/falsely%20compressed", headers={"Accept-Encoding": "identity"})

    assert answer.content == b"plain"


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


@pytest.mark.parametrize("accepted", ["gzip", "identity", None])
def test_a_compressed_object_is_read_by_clients_that_take_it_so_and_by_others(
    standin: StandIn, bucket: storage.Bucket, accepted: str | None
) -> None:
    blob = bucket.blob("compressed")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(b"content" * 100), content_type="application/json")
    assert blob.download_as_bytes() == b"content" * 100

    request = standin.http.build_request("GET", f"/{bucket.name}/compressed")
    del request.headers["accept-encoding"]
    if accepted is not None:
        request.headers["accept-encoding"] = accepted
    answer = standin.http.send(request)

    assert answer.content == b"content" * 100
    assert answer.headers.get("content-encoding") == ("gzip" if accepted == "gzip" else None)


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


def test_what_would_be_ignored_is_refused_by_name(standin: StandIn, bucket: storage.Bucket) -> None:
    upload = f"/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x&predefinedAcl=private"
    refused = {
        "predefinedAcl": standin.http.post(upload, content=b"x"),
        "POST of the XML API": standin.http.post(f"/{bucket.name}/x?uploads"),
        "partNumber of the XML API": standin.http.put(f"/{bucket.name}/x?partNumber=1&uploadId=2", content=b"x"),
        "x-goog-meta-a of the XML API": standin.http.put(f"/{bucket.name}/x", headers={"x-goog-meta-a": "b"}),
    }
    for what, response in refused.items():
        assert response.status_code == 501
        assert what in response.json()["error"]["message"]
    assert bucket.get_blob("x") is None


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


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("bytes=2-3", (206, b"cd", "bytes 2-3/6")),
        ("bytes=4-", (206, b"ef", "bytes 4-5/6")),
        ("bytes=4-99", (206, b"ef", "bytes 4-5/6")),
        ("bytes=-2", (206, b"ef", "bytes 4-5/6")),
        ("bytes=6-", (416, b"", "bytes */6")),
    ],
)
def test_a_range_is_answered_alone_and_one_beyond_the_end_refused(
    standin: StandIn, bucket: storage.Bucket, asked: str, answered: tuple[int, bytes, str]
) -> None:
    bucket.blob("letters").upload_from_string(b"abcdef")

    for path in (f"/{bucket.name}/letters", f"/download/storage/v1/b/{bucket.name}/o/letters?alt=media"):
        answer = standin.http.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.content, answer.headers["content-range"]) == answered


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


def test_a_copy_says_of_itself_what_its_source_does_unless_other_things_are_asked(
    standin: StandIn, bucket: storage.Bucket
) -> None:
    source = bucket.blob("said")
    source.metadata, source.cache_control = {"made": "here"}, "no-store"
    source.upload_from_string("x", content_type="text/x")
    path = f"/storage/v1/b/{bucket.name}/o/said/rewriteTo/b/{bucket.name}/o/copy"

    kept = standin.http.post(path, json={}).json()["resource"]
    asked = standin.http.post(path, json={"contentType": "text/y", "metadata": {"made": "there"}}).json()["resource"]

    assert (kept["metadata"], kept["cacheControl"], kept["contentType"]) == ({"made": "here"}, "no-store", "text/x")
    assert (asked["metadata"], asked.get("cacheControl"), asked["contentType"]) == ({"made": "there"}, None, "text/y")
    assert kept["md5Hash"] == asked["md5Hash"]
    assert bucket.blob("copy").download_as_bytes() == b"x"


def test_a_listing_comes_by_the_page_in_the_order_of_names(standin: StandIn, bucket: storage.Bucket) -> None:
    names = [f"many/{number % 7}/{number}" for number in range(120)] + ["many/\U00010000", "many/\uffff", "many/a"]
    for name in names:
        standin.http.put(f"/{bucket.name}/{quote(name, safe='')}", content=b"").raise_for_status()

    flat = [[blob.name for blob in page] for page in bucket.list_blobs(prefix="many/", page_size=100).pages]
    folders = bucket.list_blobs(prefix="many/", delimiter="/", page_size=3)

    assert [len(page) for page in flat] == [100, 23]
    assert [name for page in flat for name in page] == sorted(names)
    assert [blob.name for blob in folders] == ["many/a", "many/\uffff", "many/\U00010000"]
    assert folders.prefixes == {f"many/{number}/" for number in range(7)}


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


def test_a_listing_has_bounds_and_the_client_for_go_names_those_that_it_has_not(
    standin: StandIn, bucket: storage.Bucket
) -> None:
    for name in ("bounds/a", "bounds/b", "bounds/c"):
        bucket.blob(name).upload_from_string("x")
    path = f"/storage/v1/b/{bucket.name}/o?prefix=bounds/"

    def names(more: str) -> list[str]:
        return [item["name"][-1] for item in standin.http.get(path + more).raise_for_status().json()["items"]]

    assert names("&startOffset=bounds/b&endOffset=bounds/c") == ["b"]
    assert names("&startOffset=&endOffset=&includeTrailingDelimiter=false&filter=") == ["a", "b", "c"]
    assert standin.http.get(f"{path}&includeTrailingDelimiter=true").status_code == 501
