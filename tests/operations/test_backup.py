"""A backup is complete and says so, or it is none."""

import json

import pytest
from google.cloud import storage
from googleapiclient.errors import HttpError

from operations.backup import backup, backups
from operations.bucket import Folder, check, copy
from operations.errors import UserError
from operations.manifest import ARTIFACTS as BELOW
from operations.manifest import DUMP, Manifest
from operations.stack import Stack
from tests.gcp.standin import StandIn
from tests.operations.conftest import ARTIFACTS, deployed

Buckets = tuple[storage.Bucket, storage.Bucket]


def quiet(_: str) -> None:
    """Tell nothing."""


@pytest.fixture(scope="module")
def made(stack: Stack, buckets: Buckets) -> Folder:
    """A backup that no test changes."""
    url = backup(stack)
    return Folder(bucket=buckets[1]).folder(url.removeprefix("gs://kept-backups/"))


def test_a_backup_holds_every_run_and_every_artifact(made: Folder) -> None:
    manifest = Manifest.read(made)

    assert (manifest.runs, manifest.image, manifest.database) == (1000, "registry/mlflow:1", "mlflow")
    assert manifest.artifacts.keys() == ARTIFACTS.keys()
    for name, content in ARTIFACTS.items():
        assert made.folder(BELOW).blob(name).download_as_bytes() == content
    assert made.listing()[DUMP] == manifest.dump


def test_only_complete_backups_are_listed(stack: Stack, made: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    begun = Folder(bucket=made.bucket).folder("2000-01-01T000000Z")
    begun.blob(DUMP).upload_from_string("half")

    assert made.url in backups(stack)
    assert begun.url not in backups(stack)
    assert f"gcloud storage rm --recursive {begun.url}" in capsys.readouterr().err


def test_a_backup_that_fails_leaves_no_manifest_and_says_what_to_do(
    stack: Stack, standin: StandIn, buckets: Buckets, capsys: pytest.CaptureFixture[str]
) -> None:
    before = backups(stack)
    missing = deployed(standin, **{"mlflow:databaseUser": "nobody"})

    with pytest.raises(HttpError, match="The database nobody does not exist"):
        backup(missing)

    assert backups(stack) == before
    assert "Run the same command again" in capsys.readouterr().err
    assert buckets[0].blob("top").exists()


def test_what_is_no_complete_backup_is_refused_by_its_address(buckets: Buckets) -> None:
    with pytest.raises(UserError, match=r"gs://kept-backups/never: no complete backup"):
        Manifest.read(Folder(bucket=buckets[1]).folder("never"))


def test_a_backup_of_another_format_is_refused(buckets: Buckets) -> None:
    folder = Folder(bucket=buckets[1]).folder("2001-01-01T000000Z")
    folder.blob("manifest.json").upload_from_string(json.dumps({"format": 0}))

    with pytest.raises(UserError, match="another release of this project"):
        Manifest.read(folder)
    folder.delete(["manifest.json"], quiet)


def test_an_artifact_that_is_deleted_meanwhile_is_told_and_the_others_are_copied(buckets: Buckets) -> None:
    source, target = Folder(bucket=buckets[0]), Folder(bucket=buckets[1]).folder("meanwhile")

    assert copy(["top", "gone"], source, target, quiet) == ["gone"]

    assert target.listing() == {"top": source.listing()["top"]}
    target.delete(["top", "gone"], quiet)
    assert target.listing() == {}


def test_an_object_with_another_content_does_not_pass_for_the_one_of_the_backup(made: Folder) -> None:
    wanted, artifacts = Manifest.read(made).artifacts, Folder(bucket=made.bucket).folder("changed")
    copy(wanted, made.folder(BELOW), artifacts, quiet)
    check(wanted, artifacts)
    artifacts.blob("top").upload_from_string(b"y" * 100_000)

    with pytest.raises(UserError, match="1 of 3 objects are missing or have another checksum, such as top"):
        check(wanted, artifacts)
    artifacts.delete(wanted, quiet)


def test_a_stack_without_a_bucket_for_it_is_told_why_it_cannot_be_backed_up(standin: StandIn) -> None:
    stack = deployed(standin)
    outputs = {key: value for key, value in stack.outputs.items() if key != "backup_root"}
    message = "mlflow:durable is not true; type `pulumi config set mlflow:durable true --stack prod`"

    with pytest.raises(UserError, match=message):
        backup(type(stack)(name=stack.name, settings=stack.settings, outputs=outputs))
