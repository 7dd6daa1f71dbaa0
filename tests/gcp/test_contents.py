"""Users and databases inside an instance."""

import psycopg
import pytest

from tests.gcp.standin import Json, StandIn, connect, query

_IN = "instances/contents"


@pytest.fixture(scope="module")
def contents(standin: StandIn) -> Json:
    return standin.create("contents")


def test_a_new_instance_has_the_user_and_the_database_postgres(standin: StandIn, instance: Json) -> None:
    path = f"instances/{instance['name']}"
    assert [user["name"] for user in standin.sql("GET", f"{path}/users")["items"]] == ["postgres"]
    assert [database["name"] for database in standin.sql("GET", f"{path}/databases")["items"]] == ["postgres"]


def test_a_database_is_made_used_and_dropped(standin: StandIn, contents: Json) -> None:
    standin.done(standin.sql("POST", f"{_IN}/databases", {"name": "mlflow"}))
    assert standin.sql("GET", f"{_IN}/databases/mlflow")["charset"] == "UTF8"
    query(contents, "CREATE TABLE t (n int)", dbname="mlflow")
    standin.done(standin.sql("DELETE", f"{_IN}/databases/mlflow"))
    assert standin.sql("GET", f"{_IN}/databases/mlflow")["error"]["code"] == 404
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(contents, dbname="mlflow")


def test_a_database_that_is_there_is_a_409(standin: StandIn, contents: Json) -> None:
    assert standin.sql("POST", f"instances/{contents['name']}/databases", {"name": "postgres"})["error"]["code"] == 409


def test_a_user_gets_in_with_its_password_makes_tables_and_is_dropped(standin: StandIn, contents: Json) -> None:
    standin.done(standin.sql("POST", f"{_IN}/users", {"name": "ada", "password": "one"}))
    assert query(contents, "CREATE TABLE ada (n int)", user="ada", password="one") == []  # noqa: S106
    query(contents, "DROP TABLE ada", user="ada", password="one")  # noqa: S106
    standin.done(standin.sql("DELETE", f"{_IN}/users?name=ada"))
    with pytest.raises(psycopg.OperationalError):
        connect(contents, user="ada", password="one")  # noqa: S106


def test_a_user_that_owns_something_is_not_dropped_and_the_operation_says_why(standin: StandIn, contents: Json) -> None:
    standin.done(standin.sql("POST", f"{_IN}/users", {"name": "owner", "password": "one"}))
    query(contents, "CREATE TABLE owned (n int)", user="owner", password="one")  # noqa: S106
    error = standin.done(standin.sql("DELETE", f"{_IN}/users?name=owner"))["error"]["errors"][0]
    assert "cannot be dropped" in error["message"]


def test_a_changed_root_password_replaces_the_old_one(standin: StandIn) -> None:
    changed = standin.create("password")
    standin.done(standin.sql("PUT", "instances/password/users?name=postgres", {"password": "new"}))
    assert query(changed, "SELECT 1", password="new") == [(1,)]  # noqa: S106
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(changed)


@pytest.mark.parametrize("name", ["cloudsqladmin", "pg_monitor", ""])
def test_a_reserved_user_is_refused(standin: StandIn, contents: Json, name: str) -> None:
    path = f"instances/{contents['name']}/users"
    assert standin.sql("POST", path, {"name": name, "password": "x"})["error"]["code"] == 400
    assert standin.sql("DELETE", f"{path}?name={name}")["error"]["code"] == 404


def test_a_name_is_never_read_as_sql(standin: StandIn, contents: Json) -> None:
    name = 'x"; DROP DATABASE postgres; --'
    standin.done(standin.sql("POST", f"{_IN}/databases", {"name": name}))
    names = [database["name"] for database in standin.sql("GET", f"instances/{contents['name']}/databases")["items"]]
    assert set(names) >= {"postgres", name}


def test_a_user_is_a_member_of_cloudsqlsuperuser_unless_other_roles_are_named(standin: StandIn, contents: Json) -> None:
    query(contents, "CREATE ROLE readers")
    standin.done(standin.sql("POST", f"{_IN}/users", {"name": "like-postgres", "password": "one"}))
    standin.done(
        standin.sql("POST", f"{_IN}/users", {"name": "reader", "password": "one", "databaseRoles": ["readers"]})
    )
    assert standin.sql("GET", f"{_IN}/users/like-postgres")["databaseRoles"] == ["cloudsqlsuperuser"]
    assert standin.sql("GET", f"{_IN}/users/reader")["databaseRoles"] == ["readers"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(contents, "CREATE ROLE more", user="reader", password="one")  # noqa: S106


def test_a_user_of_a_role_that_is_not_there_is_not_made(standin: StandIn, contents: Json) -> None:
    body = {"name": "nobody", "password": "one", "databaseRoles": ["no-such-role"]}
    error = standin.done(standin.sql("POST", f"instances/{contents['name']}/users", body))["error"]["errors"][0]
    assert 'role "no-such-role" does not exist' in error["message"]


def test_a_database_that_somebody_uses_is_not_dropped(standin: StandIn, contents: Json) -> None:
    standin.done(standin.sql("POST", f"{_IN}/databases", {"name": "busy"}))
    with connect(contents, dbname="busy") as session:
        error = standin.done(standin.sql("DELETE", f"{_IN}/databases/busy"))["error"]["errors"][0]
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert 'database "busy" is being accessed by other users' in error["message"]
    assert standin.sql("GET", f"{_IN}/databases/busy")["name"] == "busy"
