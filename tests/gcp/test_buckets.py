"""Buckets keep every field that they were given, and their policies are changed only by who read them."""

from collections.abc import Generator

import pytest
from google.cloud import storage

from tests.gcp.standin import PROJECT, Json, StandIn

_ASKED: Json = {
    "name": "artefacts",
    "location": "asia-southeast1",
    "labels": {"app": "mlflow"},
    "iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": True}},
    "versioning": {"enabled": True},
    "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]},
    "softDeletePolicy": {"retentionDurationSeconds": 604800},
}


@pytest.fixture
def bucket(standin: StandIn) -> Generator[Json]:
    response = standin.http.post(f"/storage/v1/b?project={PROJECT}", json=_ASKED)
    assert response.status_code == 200, response.text
    yield response.json()
    standin.http.delete("/storage/v1/b/artefacts")


def _patch(standin: StandIn, body: Json) -> Json:
    return standin.http.patch("/storage/v1/b/artefacts", json=body).json()


def test_a_bucket_answers_what_was_asked_and_google_s_defaults(standin: StandIn, bucket: Json) -> None:
    assert standin.http.get("/storage/v1/b/artefacts").json() == bucket
    assert (bucket["location"], bucket["locationType"]) == ("ASIA-SOUTHEAST1", "region")
    assert (bucket["labels"], bucket["versioning"]) == (_ASKED["labels"], _ASKED["versioning"])
    assert bucket["lifecycle"] == _ASKED["lifecycle"]
    assert bucket["iamConfiguration"]["uniformBucketLevelAccess"] == {"enabled": True}
    assert bucket["softDeletePolicy"]["retentionDurationSeconds"] == "604800"
    assert (bucket["storageClass"], bucket["metageneration"]) == ("STANDARD", "1")


def test_a_patch_changes_what_it_names_and_null_removes(standin: StandIn, bucket: Json) -> None:
    patched = _patch(standin, {"labels": {"app": None, "team": "ml"}, "versioning": {"enabled": False}})
    assert patched["labels"] == {"team": "ml"}
    assert patched["versioning"] == {"enabled": False}
    assert patched["lifecycle"] == bucket["lifecycle"]
    assert (patched["metageneration"], patched["etag"] != bucket["etag"]) == ("2", True)


def test_an_update_replaces_everything_but_name_and_place(standin: StandIn, bucket: Json) -> None:
    updated = standin.http.put("/storage/v1/b/artefacts", json={"labels": {"only": "this"}}).json()
    assert updated["labels"] == {"only": "this"}
    assert "lifecycle" not in updated
    assert (updated["location"], updated["timeCreated"]) == (bucket["location"], bucket["timeCreated"])


@pytest.mark.usefixtures("bucket")
def test_a_change_of_an_older_metageneration_is_a_412(standin: StandIn) -> None:
    _patch(standin, {"labels": {"a": "b"}})
    response = standin.http.patch("/storage/v1/b/artefacts?ifMetagenerationMatch=1", json={"labels": None})
    assert response.status_code == 412


@pytest.mark.usefixtures("bucket")
def test_a_bucket_name_that_is_taken_is_a_409(standin: StandIn) -> None:
    assert standin.http.post(f"/storage/v1/b?project={PROJECT}", json=_ASKED).status_code == 409


@pytest.mark.parametrize("name", ["Capitals", "ab", "-begins", "googles"])
def test_a_bucket_name_that_google_refuses_is_a_400(standin: StandIn, name: str) -> None:
    assert standin.http.post(f"/storage/v1/b?project={PROJECT}", json={"name": name}).status_code == 400


@pytest.mark.usefixtures("bucket")
def test_buckets_are_listed_by_project(standin: StandIn) -> None:
    mine = standin.http.get(f"/storage/v1/b?project={PROJECT}").json()["items"]
    assert "artefacts" in [bucket["name"] for bucket in mine]
    assert standin.http.get("/storage/v1/b?project=other").json()["items"] == []


@pytest.mark.usefixtures("bucket")
def test_a_policy_is_changed_only_by_who_has_read_it(standin: StandIn) -> None:
    path = "/storage/v1/b/artefacts/iam"
    policy = standin.http.get(path).json()
    roles = [binding["role"] for binding in policy["bindings"]]
    assert roles == [
        f"roles/storage.legacy{each}" for each in ("BucketOwner", "BucketReader", "ObjectOwner", "ObjectReader")
    ]

    binding = {"role": "roles/storage.objectUser", "members": ["serviceAccount:a@b.iam.gserviceaccount.com"]}
    policy["bindings"].append(binding)
    assert standin.http.put(path, json=policy).status_code == 200
    assert binding in standin.http.get(path).json()["bindings"]
    assert standin.http.put(path, json=policy).status_code == 412


def test_a_bucket_with_objects_is_not_deleted_until_they_are(standin: StandIn) -> None:
    with standin.storage() as client:
        full = client.create_bucket("full")
        full.blob("a").upload_from_string("x")
        assert standin.http.delete("/storage/v1/b/full").status_code == 409
        _empty_as_the_provider_does(standin, full)
        assert standin.http.delete("/storage/v1/b/full").status_code == 204
        assert not full.exists()


def test_an_open_upload_does_not_hold_a_bucket(standin: StandIn) -> None:
    with standin.storage() as client:
        opened, before = client.create_bucket("opened"), len(standin.contents())
        upload = str(opened.blob("begun").create_resumable_upload_session())
        part = {"content-range": f"bytes 0-{(1 << 18) - 1}/*"}
        assert standin.http.put(upload, content=bytes(1 << 18), headers=part).status_code == 308
        assert (standin.open_uploads(), len(standin.contents())) == (1, before + 1)

        opened.delete()

        assert (standin.open_uploads(), len(standin.contents())) == (0, before)
        assert standin.http.put(upload, headers={"content-range": "bytes */*"}).status_code == 404


def _empty_as_the_provider_does(standin: StandIn, bucket: storage.Bucket) -> None:
    listed = standin.http.get(f"/storage/v1/b/{bucket.name}/o?versions=true").json()
    for item in listed["items"]:
        path = f"/storage/v1/b/{bucket.name}/o/{item['name']}?generation={item['generation']}"
        assert standin.http.delete(path).status_code in (200, 204)


def test_a_retention_policy_is_kept_with_the_time_from_which_it_holds(standin: StandIn, bucket: Json) -> None:
    assert "effectiveTime" in bucket["softDeletePolicy"]
    retained = _patch(standin, {"retentionPolicy": {"retentionPeriod": 86400}})["retentionPolicy"]
    assert retained["retentionPeriod"] == "86400"
    assert "effectiveTime" in retained
    assert "retentionPolicy" not in _patch(standin, {"retentionPolicy": None})


def test_a_bucket_is_found_on_the_page_that_it_is_on(standin: StandIn) -> None:
    with standin.storage() as client:
        made = [client.create_bucket(f"paged-{n}") for n in range(3)]
        pages = [[bucket.name for bucket in page] for page in client.list_buckets(prefix="paged-", page_size=2).pages]
        for bucket in made:
            bucket.delete()
    assert pages == [["paged-0", "paged-1"], ["paged-2"]]


@pytest.mark.parametrize("name", ["resumable", "storage"])
def test_a_bucket_that_is_named_as_a_path_of_the_api_leads_nowhere_else(standin: StandIn, name: str) -> None:
    with standin.storage() as client:
        other, made = client.create_bucket("elsewhere"), client.create_bucket(name)
        other.blob("a/b").upload_from_string("x")

        assert standin.http.get(f"/{name}/wipe").status_code == 501
        assert standin.http.get(f"/{name}/v1/b/elsewhere/o/a/b").status_code in (404, 501)
        assert standin.http.put(f"/{name}/elsewhere/a", content=b"y").status_code == 501

        assert [blob.name for blob in other.list_blobs()] == ["a/b"]
        made.delete()
        other.delete(force=True)
