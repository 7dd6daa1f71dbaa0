"""A service account comes with its key, as Google's client brings it, and may do what the bucket's policy grants."""

import base64
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from google.api_core.exceptions import Forbidden
from google.auth import crypt, jwt
from google.auth.exceptions import RefreshError
from google.cloud import storage
from google.oauth2 import service_account

from tests.gcp.standin import PROJECT, Json, StandIn

ACCOUNTS = f"/iam/v1/projects/{PROJECT}/serviceAccounts"
READ, WRITE = "roles/storage.objectViewer", "roles/storage.objectUser"


def make_key(standin: StandIn, name: str) -> Json:
    """Make a service account, and return the credentials file of a key of it."""
    standin.http.post(ACCOUNTS, json={"accountId": name}).raise_for_status()
    made = standin.http.post(f"{ACCOUNTS}/{name}@{PROJECT}.iam.gserviceaccount.com/keys", json={}).json()
    return json.loads(base64.b64decode(made["privateKeyData"]))


@pytest.fixture(scope="module")
def key(standin: StandIn) -> Json:
    """The credentials file of an account's key."""
    return make_key(standin, "writer")


@pytest.fixture
def bucket(standin: StandIn) -> Iterator[storage.Bucket]:
    """A bucket with an object, as the person at the machine sees it."""
    with standin.storage() as client:
        made = client.create_bucket("granted")
        made.blob("there").upload_from_string("x")
        yield made
        made.delete(force=True)


def seen_by(key: Json, standin: StandIn, bucket: storage.Bucket) -> storage.Bucket:
    """Return a bucket as an account sees it."""
    credentials = service_account.Credentials.from_service_account_info(key)  # pyright: ignore[reportUnknownMemberType]
    client = storage.Client(project=PROJECT, credentials=credentials, client_options={"api_endpoint": standin.url})
    return client.bucket(bucket.name)


def grant(key: Json, bucket: storage.Bucket, role: str) -> None:
    """Grant an account a role in a bucket."""
    policy = bucket.get_iam_policy()
    policy.bindings.append({"role": role, "members": {f"serviceAccount:{key['client_email']}"}})
    bucket.set_iam_policy(policy)


def test_without_a_grant_it_may_nothing(standin: StandIn, key: Json, bucket: storage.Bucket) -> None:
    mine = seen_by(key, standin, bucket)

    with pytest.raises(Forbidden, match=r"objects\.get"):
        mine.blob("there").download_as_bytes()
    with pytest.raises(Forbidden, match=r"objects\.create"):
        mine.blob("new").upload_from_string("x")
    with pytest.raises(Forbidden, match=r"objects\.delete"):
        mine.blob("there").delete()
    with pytest.raises(Forbidden, match=r"objects\.list"):
        list(mine.list_blobs())


def test_who_may_read_may_not_write(standin: StandIn, key: Json, bucket: storage.Bucket) -> None:
    grant(key, bucket, READ)
    mine = seen_by(key, standin, bucket)

    assert mine.blob("there").download_as_bytes() == b"x"
    assert [blob.name for blob in mine.list_blobs()] == ["there"]
    with pytest.raises(Forbidden, match=r"objects\.create"):
        mine.blob("new").upload_from_string("x")
    with pytest.raises(Forbidden, match=r"objects\.create"):
        mine.copy_blob(mine.blob("there"), mine, "copy")
    with pytest.raises(Forbidden, match=r"objects\.delete"):
        mine.blob("there").delete()


def test_who_may_write_uploads_in_pieces_copies_and_deletes(
    standin: StandIn, key: Json, bucket: storage.Bucket
) -> None:
    grant(key, bucket, WRITE)
    mine = seen_by(key, standin, bucket)

    mine.blob("large", chunk_size=1 << 18).upload_from_string("y" * (1 << 19))
    mine.copy_blob(mine.blob("large"), mine, "copy")
    mine.blob("large").delete()

    assert bucket.blob("copy").download_as_bytes() == b"y" * (1 << 19)


def test_who_may_only_make_objects_replaces_none(standin: StandIn, key: Json, bucket: storage.Bucket) -> None:
    grant(key, bucket, "roles/storage.objectCreator")
    mine = seen_by(key, standin, bucket)

    mine.blob("new").upload_from_string("x")
    mine.blob("pieces", chunk_size=1 << 18).upload_from_string("y" * (1 << 19))
    with pytest.raises(Forbidden, match=r"objects\.delete"):
        mine.blob("there").upload_from_string("y")
    with pytest.raises(Forbidden, match=r"objects\.delete"):
        mine.blob("there", chunk_size=1 << 18).upload_from_string("y" * (1 << 19))
    with pytest.raises(Forbidden, match=r"objects\.get"):
        mine.blob("both").compose([mine.blob("there"), mine.blob("new")])

    assert bucket.blob("there").download_as_bytes() == b"x"


def test_what_everybody_may_read_it_may_read(standin: StandIn, key: Json, bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy()
    policy.bindings.append({"role": READ, "members": {"allAuthenticatedUsers"}})
    bucket.set_iam_policy(policy)

    assert seen_by(key, standin, bucket).blob("there").download_as_bytes() == b"x"


def test_another_method_in_a_header_is_no_way_around_agrant(
    standin: StandIn, key: Json, bucket: storage.Bucket
) -> None:
    grant(key, bucket, READ)
    path = f"/storage/v1/b/{bucket.name}/o/there"

    assert standin.http.get(path, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 501
    assert bucket.blob("there").exists()


def test_go_s_library_names_the_address_of_the_token_itself(standin: StandIn, key: Json) -> None:
    now = int(time.time())
    claims = {"iss": key["client_email"], "aud": key["token_uri"], "iat": now, "exp": now + 3600, "scope": "x"}
    signed = jwt.encode(crypt.RSASigner.from_service_account_info(key), claims).decode()
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}

    assert "access_token" in standin.http.post("/token", data=form).json()
    elsewhere = {**form, "grant_type": "password"}
    assert standin.http.post("/token", data=elsewhere).json()["error"] == "unsupported_grant_type"


def test_a_key_that_is_gone_gets_no_token(standin: StandIn, key: Json, bucket: storage.Bucket) -> None:
    keys = f"{ACCOUNTS}/{key['client_email']}/keys"
    other = json.loads(base64.b64decode(standin.http.post(keys, json={}).json()["privateKeyData"]))
    standin.http.delete(f"{keys}/{other['private_key_id']}").raise_for_status()

    with pytest.raises(RefreshError, match="invalid_grant"):
        seen_by(other, standin, bucket).blob("there").download_as_bytes()


def test_a_token_that_nobody_was_given_is_refused(standin: StandIn, bucket: storage.Bucket) -> None:
    forged = standin.http.get(f"/{bucket.name}/there", headers={"Authorization": "Bearer ya29.forged"})

    assert forged.status_code == 401


def test_a_service_account_may_see_a_bucket_and_the_rest_of_google_only_by_a_role(
    standin: StandIn, key: Json, bucket: storage.Bucket
) -> None:
    mine = seen_by(key, standin, bucket)
    grant(key, bucket, WRITE)
    asked = ["storage.objects.get", "storage.objects.delete", "storage.buckets.get"]
    assert mine.test_iam_permissions(asked) == asked[:2]
    with pytest.raises(Forbidden, match=r"storage\.buckets\.get"):
        mine.reload()

    grant(key, bucket, "roles/storage.legacyBucketReader")
    mine.reload()
    with pytest.raises(Forbidden, match=r"storage\.buckets\.setIamPolicy"):
        mine.set_iam_policy(bucket.get_iam_policy())
    with pytest.raises(Forbidden, match=r"storage\.buckets\.list"):
        list(mine.client.list_buckets())


def test_from_elsewhere_nobody_comes_without_a_token(standin: StandIn, bucket: storage.Bucket) -> None:
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")  # what a pod's address is to the stand-in
    with httpx.Client(base_url=standin.url, transport=elsewhere) as stranger:
        for token in ({}, {"Authorization": "Bearer stand-in"}):
            for path in (
                f"/{bucket.name}/there",
                f"/storage/v1/b/{bucket.name}/o",
                "/sql/v1beta4/projects/p/instances",
            ):
                assert stranger.get(path, headers=token).status_code == 401, path
