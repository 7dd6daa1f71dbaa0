"""A database leaves as SQL for a bucket and comes back into another instance, if the bucket's policy lets it."""

import gzip
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from google.cloud import storage

from tests.gcp.standin import Json, StandIn, query

_ADMIN = "roles/storage.objectAdmin"


@pytest.fixture(scope="module")
def source(standin: StandIn) -> Json:
    """An instance whose database `app` belongs to a role of its own."""
    instance = standin.create("source")
    standin.done(standin.sql("POST", "instances/source/databases", {"name": "app"}))
    _make_owner(instance, "app")
    query(
        instance,
        "SET ROLE app_owner; CREATE TABLE runs (id serial PRIMARY KEY, note text);"
        " INSERT INTO runs (note) SELECT 'ünï ' || n FROM generate_series(1, 1000) n",
        dbname="app",
    )
    return instance


@pytest.fixture(scope="module")
def target(standin: StandIn) -> Json:
    instance = standin.create("target")
    standin.done(standin.sql("POST", "instances/target/users", {"name": "ada", "password": "one"}))
    return instance


@pytest.fixture(scope="module")
def bucket(standin: StandIn) -> Generator[storage.Bucket]:
    with standin.storage() as client:
        bucket = client.create_bucket("dumps")
        yield bucket
        bucket.delete(force=True)


def _make_owner(instance: Json, database: str) -> None:
    """Make the role that the database's tables belong to, as an export needs it."""
    if not query(instance, "SELECT 1 FROM pg_roles WHERE rolname = 'app_owner'"):
        query(instance, "CREATE ROLE app_owner")
    query(instance, "GRANT app_owner TO postgres, cloudsqlsuperuser")
    query(instance, "GRANT ALL ON SCHEMA public TO app_owner", dbname=database)


@contextmanager
def _granted(standin: StandIn, instance: Json, role: str = _ADMIN) -> Generator[None]:
    """Let the instance's service account in, for as long as the block lasts."""
    path, member = "/storage/v1/b/dumps/iam", f"serviceAccount:{instance['serviceAccountEmailAddress']}"
    before = standin.http.get(path).json()["bindings"]
    standin.http.put(path, json={"bindings": [*before, {"role": role, "members": [member]}]}).raise_for_status()
    yield
    standin.http.put(path, json={"bindings": before}).raise_for_status()


def _export(standin: StandIn, name: str, **changes: object) -> Json:
    context = {"fileType": "SQL", "uri": f"gs://dumps/{name}", "databases": ["app"], "offload": True, **changes}
    return standin.sql("POST", "instances/source/export", {"exportContext": context})


def _import(standin: StandIn, name: str, database: str, **changes: object) -> Json:
    context = {"fileType": "SQL", "uri": f"gs://dumps/{name}", "database": database, **changes}
    return standin.sql("POST", "instances/target/import", {"importContext": context})


def _database(standin: StandIn, name: str) -> str:
    standin.done(standin.sql("POST", "instances/target/databases", {"name": name}))
    return name


@pytest.fixture(scope="module")
def exported(standin: StandIn, source: Json, bucket: storage.Bucket) -> storage.Bucket:
    """The bucket, with the database in it twice."""
    with _granted(standin, source):
        for name in ("app.sql", "daily/app.sql.gz"):
            operation = _export(standin, name)
            assert operation["exportContext"]["uri"] == f"gs://dumps/{name}"
            ended = standin.done(operation)
            assert ("error" not in ended, ended["operationType"]) == (True, "EXPORT"), ended
    return bucket


def test_a_dump_names_owners_and_grants_and_comes_compressed_where_its_name_says_so(exported: storage.Bucket) -> None:
    plain = exported.blob("app.sql").download_as_bytes()
    packed = gzip.decompress(exported.blob("daily/app.sql.gz").download_as_bytes(raw_download=True))
    assert b"ALTER TABLE public.runs OWNER TO app_owner" in plain
    assert b"GRANT ALL ON SCHEMA public TO app_owner" in plain
    assert len(packed) == len(plain)


@pytest.mark.usefixtures("exported")
def test_who_owns_something_has_to_be_there_and_may_have_to_create_it(standin: StandIn, target: Json) -> None:
    _database(standin, "unprepared")
    with _granted(standin, target):
        absent = standin.done(_import(standin, "app.sql", "unprepared"))["error"]["errors"][0]
        query(target, "CREATE ROLE app_owner")
        query(target, "GRANT app_owner TO postgres, cloudsqlsuperuser")
        idle = standin.done(_import(standin, "app.sql", "unprepared", importUser="postgres"))["error"]["errors"][0]
    assert 'role "app_owner" does not exist' in absent["message"]
    assert "permission denied for schema public" in idle["message"]
    assert query(target, "SELECT 1 FROM pg_tables WHERE tablename = 'runs'", dbname="unprepared") == []


@pytest.mark.parametrize(("name", "database"), [("app.sql", "plain"), ("daily/app.sql.gz", "packed")])
@pytest.mark.usefixtures("exported")
def test_what_is_imported_is_all_there_and_belongs_to_whom_it_did(
    standin: StandIn, target: Json, name: str, database: str
) -> None:
    _make_owner(target, _database(standin, database))
    with _granted(standin, target, "roles/storage.objectViewer"):
        ended = standin.done(_import(standin, name, database, importUser="ada"))
    assert "error" not in ended, ended
    assert query(target, "SELECT count(*), min(note) FROM runs", dbname=database) == [(1000, "ünï 1")]
    owners = query(target, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", dbname=database)
    assert owners == [("app_owner",)]


def test_without_an_import_user_it_is_google_s_own(standin: StandIn, target: Json, bucket: storage.Bucket) -> None:
    _database(standin, "anybody")
    bucket.blob("plain.sql").upload_from_string("CREATE TABLE plain (n int);")
    with _granted(standin, target):
        ended = standin.done(_import(standin, "plain.sql", "anybody"))
    assert "error" not in ended, ended
    assert query(target, "SELECT tableowner FROM pg_tables WHERE tablename = 'plain'", dbname="anybody") == [
        ("cloudsqlimportexport",)
    ]


def test_what_its_members_may_not_read_is_not_exported(standin: StandIn, source: Json, bucket: storage.Bucket) -> None:
    standin.done(standin.sql("POST", "instances/source/databases", {"name": "closed"}))
    query(source, "CREATE ROLE alone")
    query(source, "GRANT alone TO postgres")
    query(source, "GRANT ALL ON SCHEMA public TO alone", dbname="closed")
    query(source, "SET ROLE alone; CREATE TABLE closed (n int)", dbname="closed")
    with _granted(standin, source):
        error = standin.done(_export(standin, "closed.sql", databases=["closed"]))["error"]["errors"][0]
    assert "permission denied for table closed" in error["message"]
    assert not bucket.blob("closed.sql").exists()


def test_an_import_that_fails_says_why_and_leaves_nothing(
    standin: StandIn, target: Json, bucket: storage.Bucket
) -> None:
    _database(standin, "half")
    bucket.blob("half.sql").upload_from_string("CREATE TABLE half (n int);\nINSERT INTO nowhere VALUES (1);\n")
    with _granted(standin, target):
        error = standin.done(_import(standin, "half.sql", "half"))["error"]["errors"][0]
    assert 'relation "nowhere" does not exist' in error["message"]
    assert query(target, "SELECT count(*) FROM pg_tables WHERE tablename = 'half'", dbname="half") == [(0,)]


def test_an_import_is_no_superuser_and_no_program_of_ours(
    standin: StandIn, target: Json, bucket: storage.Bucket
) -> None:
    _database(standin, "bounds")
    mark = standin.state / "mark"
    for number, statement in enumerate((f"\\! touch {mark}\n", "SET SESSION AUTHORIZATION cloudsqladmin;\n")):
        bucket.blob(f"{number}.sql").upload_from_string(statement)
    with _granted(standin, target):
        standin.done(_import(standin, "0.sql", "bounds"))
        error = standin.done(_import(standin, "1.sql", "bounds"))["error"]["errors"][0]
    assert not mark.exists()
    assert "permission denied" in error["message"]


@pytest.mark.usefixtures("source", "bucket")
def test_an_export_without_a_grant_or_without_a_bucket_is_a_403_that_names_the_account(
    standin: StandIn, source: Json
) -> None:
    for uri in ("gs://dumps/x.sql", "gs://no-such-bucket/x.sql"):
        error = _export(standin, "", uri=uri)["error"]
        assert error["code"] == 403
        assert source["serviceAccountEmailAddress"] in error["message"]
    with _granted(standin, source, "roles/storage.objectViewer"):
        assert _export(standin, "x.sql")["error"]["code"] == 403


@pytest.mark.usefixtures("exported")
def test_an_import_without_a_grant_is_a_403(standin: StandIn, target: Json) -> None:
    assert target["name"] == "target"
    assert _import(standin, "app.sql", "postgres")["error"]["code"] == 403


@pytest.mark.usefixtures("exported")
def test_an_export_never_replaces_a_file(standin: StandIn, source: Json) -> None:
    with _granted(standin, source):
        error = standin.done(_export(standin, "app.sql"))["error"]["errors"][0]
    assert "gs://dumps/app.sql already exists" in error["message"]


@pytest.mark.usefixtures("bucket")
def test_a_file_that_is_not_there_fails_the_import(standin: StandIn, target: Json) -> None:
    with _granted(standin, target):
        error = standin.done(_import(standin, "nothing.sql", "postgres"))["error"]["errors"][0]
    assert "gs://dumps/nothing.sql does not exist" in error["message"]


@pytest.mark.usefixtures("source", "target", "bucket")
def test_what_cannot_be_is_refused_before_anything_begins(standin: StandIn) -> None:
    assert _export(standin, "x", databases=[])["error"]["code"] == 400
    assert _export(standin, "x", databases=["nobody"])["error"]["code"] == 404
    assert _export(standin, "x", fileType="CSV")["error"]["code"] == 501
    assert _export(standin, "x", sqlExportOptions={"parallel": True})["error"]["code"] == 501
    assert _import(standin, "x", "nobody")["error"]["code"] == 404
    assert _import(standin, "x", "postgres", importUser="nobody")["error"]["code"] == 404
