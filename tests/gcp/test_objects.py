"""Objects, as Google's own client reads and writes them."""

import gzip
from collections.abc import Generator
from urllib.parse import quote

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import storage

from tests.gcp.standin import StandIn, described


@pytest.fixture(scope="module")
def bucket(standin: StandIn) -> Generator[storage.Bucket]:
    with standin.storage() as client:
        bucket = client.create_bucket("objects")
        yield bucket
        bucket.delete(force=True)


@pytest.mark.parametrize("name", ["plain", "plain/below", "a b/ü%2F+?#&.json", "dots/../up", "end/", "double//slash"])
def test_an_object_of_any_name_comes_back_as_it_was(bucket: storage.Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(f"content of {name}", content_type="application/json")
    assert bucket.blob(name).download_as_bytes() == f"content of {name}".encode()
    assert described(bucket, name).content_type == "application/json"
    assert name in [blob.name for blob in bucket.list_blobs()]


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


def test_an_object_is_copied_composed_anddescribed(bucket: storage.Bucket) -> None:
    first = bucket.blob("first")
    first.upload_from_string("ab")
    bucket.copy_blob(first, bucket, "second")
    bucket.blob("both").compose([first, bucket.blob("second")])
    both = described(bucket, "both")
    both.metadata = {"made": "here"}
    both.patch()
    assert both.download_as_bytes() == b"abab"
    assert (described(bucket, "both").metadata, both.size) == ({"made": "here"}, 4)


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


def test_what_is_not_served_is_refused_by_name(standin: StandIn, bucket: storage.Bucket) -> None:
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


def test_metadata_that_fits_in_no_header_does_not_hold_up_a_download(bucket: storage.Bucket) -> None:
    blob = bucket.blob("described")
    blob.metadata = {"ключ": "x", "two lines": "a\r\nb", "lines": "a\r\nX-Evil: b"}
    blob.upload_from_string("x")

    assert bucket.blob("described").download_as_bytes() == b"x"
    assert described(bucket, "described").metadata == blob.metadata


@pytest.mark.parametrize("size", ["-1", "9" * 5000])
def test_a_page_of_no_size_is_refused(standin: StandIn, bucket: storage.Bucket, size: str) -> None:
    assert standin.http.get(f"/storage/v1/b/{bucket.name}/o?maxResults={size}").status_code == 400
