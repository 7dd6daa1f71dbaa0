"""`mlflow-database-account` makes accounts that may do what the server does and nothing else, and retires them."""

import threading
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from local.process import wait_for
from tests.gcp.standin import PASSWORD, connect
from tests.image.container import Unpacked, attempt, call, running, serving
from tests.image.database import Database, Instance

PROGRAM = "mlflow-database-account"


def _prepare(image: Unpacked, folder: Path, database: Database) -> None:
    call(image, folder, [PROGRAM, "prepare"], database.for_administrator())


def _retire(image: Unpacked, folder: Path, database: Database, wait: float = 0) -> None:
    call(image, folder, [PROGRAM, "retire", "--wait", str(wait)], database.for_administrator())


def _refusal(image: Unpacked, folder: Path, command: str, environment: list[str]) -> str:
    done = attempt(image, folder, [PROGRAM, command], environment)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def prepared(image: Unpacked, tmp_path: Path, database: Database) -> Database:
    _prepare(image, tmp_path, database)
    return database


def test_an_account_owns_nothing_and_acts_as_the_owner(prepared: Database) -> None:
    with prepared.connect() as session:
        session.execute("CREATE TABLE mine ()")

    assert prepared.ask("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'") == [(prepared.owner,)]


@pytest.mark.parametrize("statement", ["CREATE DATABASE more", "CREATE ROLE more", "ALTER ROLE postgres PASSWORD 'x'"])
def test_an_account_administers_nothing(prepared: Database, statement: str) -> None:
    with prepared.connect() as session, pytest.raises(errors.InsufficientPrivilege):
        session.execute(statement.encode())


@pytest.mark.parametrize("reset", ["RESET ROLE", "SET ROLE NONE"])
def test_an_account_is_no_more_without_its_role(prepared: Database, reset: str) -> None:
    with prepared.connect() as session:
        session.execute(reset.encode())
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute("CREATE ROLE more")


def test_an_account_enters_no_other_database(
    prepared: Database, instance: Instance, image: Unpacked, tmp_path: Path
) -> None:
    other = instance.database()
    _prepare(image, tmp_path, other)

    for name in ("postgres", other.name):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            prepared.connect(name)


def test_query_insights_still_comes_in_and_sees_statistics_and_no_table(prepared: Database) -> None:
    with prepared.connect() as session:
        session.execute("CREATE TABLE secrets (n int)")

    asked = (
        "has_database_privilege('{}', current_database(), 'CONNECT')",
        "has_table_privilege('{}', 'secrets', 'SELECT')",
    )
    rights = ", ".join(each.format("cloudsqlobservability") for each in asked)
    assert prepared.ask(f"SELECT {rights}") == [(True, False)]


def test_nobody_logs_in_as_the_owner(prepared: Database) -> None:
    assert (prepared.owner, False) in prepared.ask("SELECT rolname, rolcanlogin FROM pg_roles")


@pytest.mark.parametrize(
    "password", ["'", '"', "\\", "%41", "@:/[?#&=", " a b ", "$1 {x}", "ü\u0301\u00a0ﬀ", "\t", "x" * 200]
)
def test_any_character_works_in_a_password(image: Unpacked, tmp_path: Path, instance: Instance, password: str) -> None:
    database = instance.database()
    call(image, tmp_path, [PROGRAM, "prepare"], [*database.for_administrator(), f"DB_PASSWORD={password}"])

    connect(instance.description, user=database.login, password=password, dbname=database.name).close()


def test_the_server_never_hears_a_password_in_the_clear(prepared: Database, instance: Instance) -> None:
    assert f'ALTER ROLE "{prepared.login}"' in instance.log()
    assert prepared.password not in instance.log()


def test_an_account_is_prepared_again_with_another_password(
    image: Unpacked, tmp_path: Path, prepared: Database
) -> None:
    call(image, tmp_path, [PROGRAM, "prepare"], [*prepared.for_administrator(), "DB_PASSWORD=another"])

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        prepared.connect()


def test_two_preparations_at_once_do_not_meet(image: Unpacked, tmp_path: Path, database: Database) -> None:
    at_once = [
        threading.Thread(
            target=attempt, args=(image, tmp_path / str(n), [PROGRAM, "prepare"], database.for_administrator())
        )
        for n in range(3)
    ]
    for thread in at_once:
        thread.start()
    _prepare(image, tmp_path, database)
    for thread in at_once:
        thread.join()

    database.connect().close()
    assert "tuple concurrently updated" not in database.instance.log()
    assert "already exists" not in database.instance.log()


def test_what_an_import_made_becomes_the_owners(image: Unpacked, tmp_path: Path, database: Database) -> None:
    database.ask(
        "CREATE TYPE colour AS ENUM ('red'); CREATE SEQUENCE alone; CREATE VIEW seen AS SELECT 1 AS one;"
        "CREATE TABLE runs (id serial, n int GENERATED ALWAYS AS IDENTITY, colour colour)"
    )
    _prepare(image, tmp_path, database)

    owners = database.ask(
        "SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "UNION SELECT typowner::regrole::text FROM pg_type WHERE typnamespace = 'public'::regnamespace"
    )
    assert owners == [(database.owner,)]


def test_what_an_account_made_as_itself_becomes_the_owners(image: Unpacked, tmp_path: Path, prepared: Database) -> None:
    _make_stray(prepared)
    _prepare(image, tmp_path, prepared.generation(2))

    assert prepared.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'stray'") == [(prepared.owner,)]


def _make_stray(database: Database) -> None:
    with database.connect() as session:
        session.execute("SET ROLE NONE")
        session.execute("CREATE TABLE stray ()")


def test_the_next_generation_finds_everything_its_own(image: Unpacked, tmp_path: Path, prepared: Database) -> None:
    successor = prepared.generation(2)
    with prepared.connect() as before:
        before.execute("CREATE TABLE runs ()")
        _prepare(image, tmp_path, successor)
        before.execute("INSERT INTO runs DEFAULT VALUES")
        prepared.connect().close()

    with successor.connect() as after:
        after.execute("ALTER TABLE runs ADD COLUMN name text")
        assert after.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_retired_account_is_gone_and_the_current_one_undisturbed(
    image: Unpacked, tmp_path: Path, prepared: Database
) -> None:
    successor = prepared.generation(2)
    _prepare(image, tmp_path, successor)
    with successor.connect() as current, prepared.connect() as left_open:
        _retire(image, tmp_path, successor)

        assert current.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(errors.AdminShutdown):
            left_open.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        prepared.connect()
    assert (prepared.login,) not in prepared.ask("SELECT rolname FROM pg_roles")


def test_sessions_of_a_retired_account_get_time_to_end(image: Unpacked, tmp_path: Path, prepared: Database) -> None:
    successor = prepared.generation(2)
    _prepare(image, tmp_path, successor)
    with prepared.connect() as left_open:
        retire = [PROGRAM, "retire", "--wait", "30"]
        with running(image, tmp_path, retire, successor.for_administrator()) as retiring:
            wait_for(lambda: _waiting(successor), what="the retirement to look", deadline=20, log=retiring.log)
            assert left_open.execute("SELECT 1").fetchone() == (1,)
            prepared.connect().close()
            left_open.close()
            assert retiring.process.wait(20) == 0, retiring.log.read_text()

    assert "ended" not in retiring.log.read_text()


def _waiting(database: Database) -> bool:
    """Tell whether the administrator, besides asking this, asks who else is there."""
    return len(database.ask("SELECT pid FROM pg_stat_activity WHERE usename = 'postgres'")) > 1


def test_a_retired_account_that_something_belongs_to_stays_without_its_login(
    image: Unpacked, tmp_path: Path, prepared: Database
) -> None:
    successor = prepared.generation(2)
    _prepare(image, tmp_path, successor)
    _make_stray(prepared)
    _retire(image, tmp_path, successor)

    assert (prepared.login, False) in prepared.ask("SELECT rolname, rolcanlogin FROM pg_roles")


def test_no_account_is_retired_for_one_that_cannot_log_in(image: Unpacked, tmp_path: Path, prepared: Database) -> None:
    said = _refusal(image, tmp_path, "retire", prepared.generation(2).for_administrator())

    assert "run `mlflow-database-account prepare` first" in said
    prepared.connect().close()


def test_an_account_of_another_family_is_left_alone(image: Unpacked, tmp_path: Path, prepared: Database) -> None:
    stranger = f"{prepared.owner}-7"
    prepared.ask(f"CREATE ROLE \"{stranger}\" LOGIN PASSWORD 'x'")
    _retire(image, tmp_path, prepared)

    assert (stranger, True) in prepared.ask("SELECT rolname, rolcanlogin FROM pg_roles")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DB_NAME=", "DB_NAME is not set"),
        ("DB_USERNAME=", "DB_USERNAME is not set"),
        ("DB_PASSWORD=", "DB_PASSWORD is not set"),
        ("DB_USERNAME=mlflow", "such as mlflow-1"),
        ("DB_USERNAME=Mlflow-1", "such as mlflow-1"),
        ("DB_USERNAME=" + "x" * 62 + "-1", "at most 63"),
        ("DB_USERNAME=postgres-1", "postgres belongs to the instance"),
        ("DB_USERNAME=cloudsqladmin-1", "cloudsqladmin belongs to the instance"),
        ("DB_USERNAME=pg_monitor-1", "pg_monitor belongs to the instance"),
        ("DB_NAME=absent", 'database "absent" does not exist'),
        ("PGPASSWORD=wrong", "as PGUSER=postgres"),
    ],
)
def test_what_is_wrong_is_named_in_a_line(
    image: Unpacked, tmp_path: Path, database: Database, change: str, said: str
) -> None:
    line = _refusal(image, tmp_path, "prepare", [*database.for_administrator(), change])

    assert said in line
    assert PASSWORD not in line
    assert database.password not in line


def test_a_role_that_people_log_in_as_does_not_become_an_owner(
    image: Unpacked, tmp_path: Path, database: Database
) -> None:
    database.ask(f'CREATE ROLE "{database.owner}" LOGIN')

    assert "take another name" in _refusal(image, tmp_path, "prepare", database.for_administrator())


def test_an_account_that_may_do_more_is_refused(image: Unpacked, tmp_path: Path, database: Database) -> None:
    database.ask(f'CREATE ROLE "more-than-{database.login}"')
    database.ask(f'CREATE ROLE "{database.login}" LOGIN IN ROLE "more-than-{database.login}"')

    assert f"a member of more-than-{database.login}" in _refusal(
        image, tmp_path, "prepare", database.for_administrator()
    )


def test_a_server_works_with_an_account_of_either_generation(
    image: Unpacked, tmp_path: Path, prepared: Database
) -> None:
    backend = "postgresql+psycopg2://"
    call(image, tmp_path, ["mlflow", "db", "upgrade", backend], prepared.for_server())
    successor = prepared.generation(2)
    _prepare(image, tmp_path, successor)
    with serving(image, tmp_path, ["--backend-store-uri", backend], prepared.for_server()) as client:
        created = client.post("/api/2.0/mlflow/experiments/create", json={"name": "first"})
    _retire(image, tmp_path, successor)
    with serving(image, tmp_path, ["--backend-store-uri", backend], successor.for_server()) as client:
        found = client.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=first")

    assert found.json()["experiment"]["experiment_id"] == created.json()["experiment_id"]
