"""A grant counts some seconds after it was made, and one that is taken away that much longer."""

import time
from collections.abc import Iterator

import pytest
from google.cloud import storage

from tests.gcp.standin import StandIn, started
from tests.gcp.test_tokens import grant, make_key, seen_by

SECONDS = 3
ASKED = ["storage.objects.create", "storage.objects.get", "storage.buckets.get"]


@pytest.fixture(scope="module")
def late() -> Iterator[StandIn]:
    """A stand-in in which grants are late."""
    with started("127.77.1.0/25", "--grant-seconds", str(SECONDS)) as standin:
        yield standin


def _seconds_until(bucket: storage.Bucket, permissions: list[str]) -> float:
    """Return how long it takes until a bucket grants exactly these permissions."""
    begun = time.monotonic()
    while bucket.test_iam_permissions(ASKED) != permissions:
        assert time.monotonic() - begun < 30, f"{permissions} were not granted within 30 s"
        time.sleep(0.05)
    return time.monotonic() - begun


def test_a_grant_and_its_end_count_late(late: StandIn) -> None:
    key = make_key(late, "latecomer")
    with late.storage() as client:
        bucket = client.create_bucket("late")
        mine = seen_by(key, late, bucket)
        before = bucket.get_iam_policy()

        grant(key, bucket, "roles/storage.objectUser")
        assert any(each["role"] == "roles/storage.objectUser" for each in bucket.get_iam_policy().bindings)
        assert SECONDS - 1 < _seconds_until(mine, ASKED[:2]) < SECONDS + 2
        mine.blob("there").upload_from_string("x")

        before.etag = bucket.get_iam_policy().etag
        bucket.set_iam_policy(before)
        mine.blob("still").upload_from_string("x")
        assert SECONDS - 1 < _seconds_until(mine, []) < SECONDS + 2
