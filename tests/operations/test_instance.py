"""The instance does as it is told, and what it cannot do is said in Google's words with a way to look."""

import threading
from collections.abc import Generator

import pytest
from googleapiclient.errors import HttpError

from operations.errors import UserError
from operations.instance import Instance
from operations.stack import Stack
from tests.gcp.standin import PASSWORD, Json, StandIn, query
from tests.operations.conftest import deployed


@pytest.fixture
def own(standin: StandIn) -> Generator[tuple[Instance, Json]]:
    """An instance that a test may change, with a database of one table."""
    made = standin.create("changed", backupConfiguration={"enabled": True})
    standin.done(standin.sql("POST", "instances/changed/databases", {"name": "mlflow"}))
    query(made, "CREATE TABLE notes AS SELECT 'before' AS note", dbname="mlflow")
    stack = deployed(standin)
    outputs = {**stack.outputs, "database_instance": "changed"}
    with Instance(type(stack)(name=stack.name, settings=stack.settings, outputs=outputs)) as instance:
        yield instance, made
    standin.done(standin.sql("DELETE", "instances/changed"))


def test_the_way_back_is_the_backup_that_was_made_before(own: tuple[Instance, Json]) -> None:
    instance, made = own
    backup = instance.back_up("1 before 2")
    query(made, "UPDATE notes SET note = 'after'", dbname="mlflow")

    instance.restore(instance.backup(backup.id))

    assert backup.description == "1 before 2"
    assert query(made, "SELECT note FROM notes", dbname="mlflow") == [("before",)]


def test_what_cloud_sql_is_at_ends_first(
    own: tuple[Instance, Json],
    standin: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    instance, made = own
    monkeypatch.setattr("operations.instance._LONGEST_POLL_SECONDS", 0.1)
    query(made, "INSERT INTO notes SELECT 'long' FROM generate_series(1, 2000000)", dbname="mlflow")
    running = standin.sql("POST", "instances/changed/backupRuns", {"description": "somebody else's"})

    instance.empty("mlflow")

    told = capsys.readouterr().err
    assert f"database: deleting mlflow: Cloud SQL first ends BACKUP_VOLUME {running['name']}\n" in told
    assert query(made, "SELECT count(*) FROM pg_tables WHERE tablename = 'notes'", dbname="mlflow") == [(0,)]


def test_a_grant_in_the_bucket_that_does_not_count_yet_is_waited_for(
    own: tuple[Instance, Json], standin: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    instance, made = own
    monkeypatch.setattr("operations.instance._LONGEST_POLL_SECONDS", 0.1)
    member = f"serviceAccount:{made['serviceAccountEmailAddress']}"
    with standin.storage() as client:
        bucket = client.create_bucket("granted-late")

        def grant() -> None:
            policy = bucket.get_iam_policy()
            policy.bindings.append({"role": "roles/storage.objectAdmin", "members": {member}})
            bucket.set_iam_policy(policy)

        late = threading.Timer(1, grant)
        late.start()
        instance.export("postgres", "gs://granted-late/export.sql")
        late.join()
        exported = bucket.blob("export.sql").exists()
        bucket.delete(force=True)

    assert exported
    assert capsys.readouterr().err.count("waits for its grant in the bucket") == 1


def test_a_grant_that_never_counts_is_google_s_refusal(
    own: tuple[Instance, Json], standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, _ = own
    monkeypatch.setattr("operations.instance._LONGEST_POLL_SECONDS", 0.1)
    monkeypatch.setattr("operations.instance._GRANT_SECONDS", 0.5)
    with standin.storage() as client:
        bucket = client.create_bucket("never-granted")
        with pytest.raises(HttpError, match="required permissions"):
            instance.export("mlflow", "gs://never-granted/export.sql")
        bucket.delete()


def test_a_backup_that_does_not_exist_is_an_error_that_lists_those_that_do(own: tuple[Instance, Json]) -> None:
    instance, _ = own
    backup = instance.back_up("1 before 2")

    with pytest.raises(UserError) as refused:
        instance.backup("7")

    assert "--backup 7: the instance changed has no such backup" in str(refused.value)
    assert f"{backup.id}  {backup.time}  1 before 2" in str(refused.value)


def test_a_backup_is_found_behind_more_than_are_told_at_once(
    own: tuple[Instance, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, _ = own
    monkeypatch.setattr("operations.instance.PAGE", 1)
    first, second = instance.back_up("first"), instance.back_up("second")

    assert [instance.backup(each.id) for each in (first, second)] == [first, second]


def test_a_database_is_emptied_whether_or_not_it_is_there(own: tuple[Instance, Json]) -> None:
    instance, made = own
    for _ in range(2):
        instance.empty("mlflow")
        assert query(made, "SELECT count(*) FROM pg_tables WHERE tablename = 'notes'", dbname="mlflow") == [(0,)]
        query(made, "DROP DATABASE mlflow")
    instance.empty("mlflow")


def test_an_export_comes_back_by_an_import(stack: Stack, instance: Instance, database: Json) -> None:
    url = f"{stack.output('backup_root')}/there-and-back.sql.gz"
    instance.export("mlflow", url)
    instance.empty("second")
    query(database, "GRANT ALL ON SCHEMA public TO mlflow", dbname="second")

    instance.load("second", url)

    assert query(database, "SELECT count(*) FROM runs", dbname="second") == [(1000,)]
    query(database, "DROP DATABASE second")


def test_an_account_gets_another_password(own: tuple[Instance, Json]) -> None:
    instance, made = own
    instance.set_password("postgres", "another 'one'")
    assert query(made, "SELECT 1", password="another 'one'") == [(1,)]  # noqa: S106
    instance.set_password("postgres", PASSWORD)


def test_what_cloud_sql_cannot_do_is_said_with_a_way_to_look(stack: Stack, instance: Instance) -> None:
    with pytest.raises(UserError, match=r"(?s)nothing-here.*`gcloud sql operations describe .* --project demo`"):
        instance.load("postgres", f"{stack.output('backup_root')}/nothing-here.sql")
