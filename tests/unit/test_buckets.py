"""The buckets of artifacts and of backups."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.gcp import ArtifactBucket, ArtifactBucketArgs, BackupBucket, BackupBucketArgs
from tests.unit.engine import UNKNOWN, Deployment, deploy
from tests.unit.server import unknown

LABELS = {"app": "mlflow"}
DAY = 24 * 60 * 60
ACCOUNT = "p1-instance@gcp-sa-cloud-sql.iam.gserviceaccount.com"


def artifacts(*, durable: bool = False, protected: bool = False, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any]]:
        args = ArtifactBucketArgs(
            bucket_name="my-artefacts", region="asia-southeast1", durable=durable, protected=protected, labels=LABELS
        )
        made = ArtifactBucket("bucket", args)
        return {"name": made.name, "url": made.url}

    return deploy(program, preview=preview)


def backups(writer: pulumi.Input[str] = ACCOUNT, *, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any]]:
        args = BackupBucketArgs(
            bucket_name="my-backups", region="asia-southeast1", protected=True, writer=writer, labels=LABELS
        )
        return {"url": BackupBucket("backups", args).url}

    return deploy(program, preview=preview)


EVERY_BUCKET = pytest.mark.parametrize(
    "made", [artifacts, lambda: artifacts(durable=True), backups], ids=["artifacts", "durable artifacts", "backups"]
)
KEPT_BUCKETS = pytest.mark.parametrize(
    "made", [lambda: artifacts(durable=True, protected=True), backups], ids=["artifacts", "backups"]
)


@pytest.mark.parametrize("preview", [False, True])
def test_the_bucket_is_in_the_region_in_upper_case_as_cloud_storage_answers(preview: bool) -> None:  # noqa: FBT001
    made = artifacts(preview=preview).only("Bucket")

    assert made.inputs["name"] == "my-artefacts"
    assert made.inputs["location"] == "ASIA-SOUTHEAST1"
    assert made.inputs["labels"] == LABELS


@EVERY_BUCKET
def test_a_bucket_can_never_be_made_public(made: Any) -> None:  # noqa: ANN401 - a function without arguments
    assert made().only("Bucket").inputs["publicAccessPrevention"] == "enforced"


@EVERY_BUCKET
def test_a_bucket_knows_no_access_lists_of_single_objects(made: Any) -> None:  # noqa: ANN401 - likewise
    assert made().only("Bucket").inputs["uniformBucketLevelAccess"] is True


def test_the_bucket_tells_its_url() -> None:
    assert artifacts().outputs["url"].value == "gs://my-artefacts"
    assert backups().outputs["url"].value == "gs://my-backups"


def test_a_bucket_that_need_not_last_goes_with_its_objects() -> None:
    made = artifacts().only("Bucket")

    assert made.inputs["forceDestroy"] is True
    assert not made.protect
    assert not made.retain_on_delete
    assert not {"versioning", "softDeletePolicy", "lifecycleRules"} & set(made.inputs)


@KEPT_BUCKETS
def test_a_bucket_that_lasts_outlives_its_stack(made: Any) -> None:  # noqa: ANN401 - likewise
    bucket = made().only("Bucket")

    assert bucket.inputs["forceDestroy"] is False
    assert bucket.protect
    assert bucket.retain_on_delete


@KEPT_BUCKETS
def test_what_is_overwritten_or_deleted_can_be_brought_back(made: Any) -> None:  # noqa: ANN401 - likewise
    inputs = made().only("Bucket").inputs

    assert inputs["versioning"] == {"enabled": True}
    assert inputs["softDeletePolicy"]["retentionDurationSeconds"] >= 7 * DAY


@KEPT_BUCKETS
def test_no_rule_ever_deletes_an_object_that_is_in_use(made: Any) -> None:  # noqa: ANN401 - likewise
    rules = made().only("Bucket").inputs["lifecycleRules"]
    deleting = [rule["condition"] for rule in rules if rule["action"]["type"] == "Delete"]

    assert {rule["action"]["type"] for rule in rules} == {"Delete", "AbortIncompleteMultipartUpload"}
    assert deleting
    for condition in deleting:
        assert condition["withState"] == "ARCHIVED"
        assert condition["daysSinceNoncurrentTime"] >= 30


def test_the_database_instance_alone_is_let_into_the_bucket_of_backups() -> None:
    deployment = backups()
    grants = [each for each in deployment.registrations if "IAM" in each.type]

    assert [grant.inputs for grant in grants] == [
        {"bucket": "my-backups", "role": "roles/storage.objectAdmin", "member": f"serviceAccount:{ACCOUNT}"}
    ]


def test_who_writes_backups_is_unknown_before_the_instance_runs() -> None:
    assert backups(unknown(), preview=True).only("BucketIAMMember").inputs["member"] == UNKNOWN
