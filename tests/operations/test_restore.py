"""A restore loses nothing that nobody gave up, and ends with all that the backup holds."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import storage

from operations.backup import backup, backups
from operations.bucket import Folder, known
from operations.errors import UserError
from operations.instance import Instance
from operations.manifest import DUMP, Manifest
from operations.restore import restore
from operations.stack import Stack
from tests.gcp.standin import Json, StandIn, query
from tests.operations.conftest import Program, deployed

Buckets = tuple[storage.Bucket, storage.Bucket]


@pytest.fixture(scope="module")
def made(stack: Stack) -> str:
    """The address of a backup of 1000 runs."""
    return backup(stack)


@pytest.fixture(autouse=True)
def engine(program: Program) -> Path:
    """What was asked of an engine that has nothing to do."""
    return program("pulumi", """echo '{"deployment": {"resources": []}}'""")


def cluster(program: Program, *, replicas: int, runs: int, note: str = "") -> Path:
    """Return what was asked of a cluster with so many pods, whose server says that it holds so many runs."""
    return program(
        "kubectl",
        f"""case "$*" in
        *exec*json_build_object*) echo '{{"runs": {runs}}}' ;;
        *exec*) echo {runs} ;;
        *jsonpath=*eplicas*) echo {replicas} ;;
        *json) echo '{{"metadata": {{"annotations": {{"mlflow-operations/restoring": "{note}"}}}}, "items": []}}' ;;
        esac""",
    )


def test_a_database_that_belongs_to_the_instance_is_not_made_anew(standin: StandIn) -> None:
    with pytest.raises(UserError, match=r"mlflow:databaseUser is postgres.* choose another name, such as mlflow"):
        restore(deployed(standin, **{"mlflow:databaseUser": "postgres"}), "gs://kept-backups/some", overwrite=True)


def test_a_backup_of_another_role_s_tables_is_refused_before_anything_is_touched(
    standin: StandIn, made: str, program: Program
) -> None:
    asked = cluster(program, replicas=2, runs=0)

    with pytest.raises(UserError, match=r"mlflow:databaseUser is tracking, and the backup is of .* it is mlflow"):
        restore(deployed(standin, **{"mlflow:databaseUser": "tracking"}), made, overwrite=True)

    assert not asked.exists()


def test_a_restore_that_fails_says_the_one_way_back_and_keeps_it_when_it_is_run_again(  # noqa: PLR0913, PLR0917 - all of a stack
    stack: Stack,
    made: str,
    buckets: Buckets,
    instance: Instance,
    database: Json,
    program: Program,
    capfd: pytest.CaptureFixture[str],
) -> None:
    good, wrong = (Folder(bucket=buckets[1]).folder(name) for name in (made.rpartition("/")[2], "wrong"))
    for name in good.listing():
        buckets[1].copy_blob(good.blob(name), buckets[1], f"{wrong.prefix}{name}")
    wrong.blob(DUMP).upload_from_string(gzip.compress(b"SELECT nothing FROM nowhere;"))
    dump = wrong.blob(DUMP)
    dump.reload()
    replace(Manifest.read(wrong), dump=known(dump)).write(wrong)
    asked = cluster(program, replicas=2, runs=1000)

    with pytest.raises(UserError, match='relation "nowhere" does not exist'):
        restore(stack, wrong.url, overwrite=True)
    first = capfd.readouterr().err
    back = first.split("python -m operations downgrade registry/mlflow:1 --backup ")[1].split()[0]
    assert f"restoring={wrong.url} {back}" in asked.read_text()
    cluster(program, replicas=0, runs=1000, note=f"{wrong.url} {back}")
    with pytest.raises(UserError, match='relation "nowhere" does not exist'):
        restore(stack, wrong.url, overwrite=False)
    second = capfd.readouterr().err

    assert "backing up" not in second
    assert f"--backup {back} --stack prod" in second
    instance.restore(instance.backup(back))
    assert query(database, "SELECT count(*) FROM runs", dbname="mlflow") == [(1000,)]


@pytest.mark.parametrize("note", [False, True])
def test_what_a_running_server_holds_is_kept_even_where_a_restore_of_before_was_interrupted(
    stack: Stack, made: str, program: Program, *, note: bool
) -> None:
    asked = cluster(program, replicas=2, runs=5, note=made if note else "")

    with pytest.raises(UserError, match=r"holds 5 runs and .* would be lost: .* or add --overwrite"):
        restore(stack, made, overwrite=False)

    assert "scale" not in asked.read_text()


def test_an_interrupted_restore_goes_on_while_the_server_is_stopped(stack: Stack, made: str, program: Program) -> None:
    asked = cluster(program, replicas=0, runs=1000, note=made)

    restore(stack, made, overwrite=False)

    assert "mlflow-operations/restoring-" in asked.read_text()


def test_runs_that_were_begun_since_the_server_started_do_no_harm(stack: Stack, made: str, program: Program) -> None:
    cluster(program, replicas=2, runs=1001)

    restore(stack, made, overwrite=True)


def test_a_run_that_is_missing_afterwards_is_an_error(stack: Stack, made: str, program: Program) -> None:
    cluster(program, replicas=2, runs=999)

    with pytest.raises(UserError, match="holds 999 runs, fewer than the 1000 of the backup"):
        restore(stack, made, overwrite=True)


def test_a_backup_from_elsewhere_leaves_nothing_beside_the_stack_s_own(
    stack: Stack, made: str, buckets: Buckets, program: Program
) -> None:
    cluster(program, replicas=2, runs=1000)
    elsewhere = buckets[0].client.create_bucket("elsewhere")
    name = made.rpartition("/")[2]
    for blob in buckets[1].list_blobs(prefix=name):
        buckets[1].copy_blob(blob, elsewhere)
    own = Folder(bucket=buckets[1]).folder(name)
    own.delete(own.listing(), lambda _: None)

    restore(stack, f"gs://elsewhere/{name}", overwrite=True)

    assert not own.blob(DUMP).exists()
    assert made not in backups(stack)
