#!/opt/mlflow/bin/python3
"""Makes and retires the server's accounts at its database, by SQL: `mlflow-database-account prepare` or `retire`.

Connects as libpq's PG* variables say, as the account that Cloud SQL gives an instance: no superuser, but one that may
make roles. DB_NAME is the server's database, DB_USERNAME the account (NAME-<generation>), DB_PASSWORD its password.

Everything belongs to the role NAME, which nobody can log in as. An account NAME-<generation> acts as that role from
the first statement of a session on, so that the next generation finds everything its own.
"""

import argparse
import os
import re
import sys
import time
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('mlflow-database-account'))"
_LONGEST = 63  # PostgreSQL cuts longer names short without a word
_POLL_SECONDS = 0.2

_RELATIONS = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND pg_get_userbyid(c.relowner) <> %s AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))
"""  # neither what an extension brings nor a sequence that goes with its table
_TYPES = """
    SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
    AND pg_get_userbyid(t.typowner) <> %s AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
"""
_OTHERS = """
    SELECT DISTINCT pg_get_userbyid(member) FROM pg_auth_members WHERE pg_get_userbyid(roleid) = %s
    AND pg_get_userbyid(member) ~ %s AND pg_get_userbyid(member) <> %s
"""
_MEMBER_OF = "SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE pg_get_userbyid(member) = %s"
_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE usename = ANY(%s)"


class RefusedError(Exception):
    """Something that has to be put right outside; the message says what and how."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who acts as whom, where."""

    database: str
    login: str
    owner: str


def main() -> int:
    """Do what is asked and return the exit status; what cannot be done is one line on stderr."""
    parser = argparse.ArgumentParser(prog="mlflow-database-account", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="make DB_USERNAME, or bring it up to date")
    retire = commands.add_parser("retire", help="take the login from all generations but DB_USERNAME")
    retire.add_argument("--wait", type=float, default=90, help="seconds that sessions get to end by themselves (90)")
    arguments = parser.parse_args()
    try:
        account = _account()
        with _connect(account) as connection:
            if arguments.command == "prepare":
                _prepare(connection, account, _setting("DB_PASSWORD", "the password of DB_USERNAME"))
            else:
                _retire(connection, account, arguments.wait)
    except RefusedError as refused:
        _say(str(refused))
        return 1
    except psycopg.Error as error:
        who = f"as PGUSER={os.environ.get('PGUSER')} on PGHOST={os.environ.get('PGHOST')}"
        _say(f"{arguments.command} {who}: {error.diag.message_primary or error}")
        return 1
    return 0


def _say(text: str) -> None:
    print("mlflow-database-account:", " ".join(text.split()), file=sys.stderr)  # noqa: T201 - that is what it is for


def _setting(name: str, what: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RefusedError(f"{name} is not set: give {what} in the environment")
    return value


def _account() -> Account:
    database = _setting("DB_NAME", "the database of the server")
    login = _setting("DB_USERNAME", "the account of the server, such as mlflow-1")
    match = re.fullmatch(r"([a-z_][a-z0-9_-]*)-[1-9][0-9]*", login)
    if match is None or len(login) > _LONGEST:
        raise RefusedError(
            f"DB_USERNAME={login}: give a name of at most {_LONGEST} lower-case letters, digits, _ and - "
            "that ends in the number of its generation, such as mlflow-1"
        )
    owner = match[1]
    if owner == os.environ.get("PGUSER") or re.match(r"postgres$|pg_|cloudsql", owner):
        raise RefusedError(f"DB_USERNAME={login}: {owner} belongs to the instance, take another name such as mlflow-1")
    return Account(database=database, login=login, owner=owner)


def _connect(account: Account, user: str | None = None, password: str | None = None) -> psycopg.Connection:
    connection = psycopg.connect(dbname=account.database, user=user, password=password, connect_timeout=10)
    connection.autocommit = True
    connection.add_notice_handler(_warn)
    return connection


def _warn(notice: psycopg.errors.Diagnostic) -> None:
    """Repeat a warning, such as that nothing was revoked because PGUSER does not own it."""
    if notice.severity == "WARNING":
        _say(notice.message_primary or "")


def _prepare(connection: psycopg.Connection, account: Account, password: str) -> None:
    with connection.transaction():
        connection.execute(_LOCK)
        _make_owner(connection, account)
        _make_login(connection, account, password)
        _grant(connection, account)
        _take_over(connection, account)
    with _connect(account, account.login, password) as session:
        acting = session.execute("SELECT current_user").fetchone()
    if acting != (account.owner,):
        raise RefusedError(f"role {account.login} acts as {acting}, not as {account.owner}: drop it, and try again")
    _say(f"{account.login} may log in to {account.database} and acts as {account.owner}")


def _run(connection: psycopg.Connection, statement: str, **names: str) -> None:
    """Run a statement with its {names} quoted; PostgreSQL takes no parameters in such statements."""
    quoted = {name: sql.Identifier(value) for name, value in names.items()}
    connection.execute(sql.SQL(statement).format(**quoted))  # pyright: ignore[reportArgumentType]


def _make_owner(connection: psycopg.Connection, account: Account) -> None:
    found = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [account.owner]).fetchone()
    if found == (True,):
        raise RefusedError(f"role {account.owner} can log in: take another name before the number in DB_USERNAME")
    if found is None:
        _run(connection, "CREATE ROLE {owner} NOLOGIN", owner=account.owner)
    # Since PostgreSQL 16 who makes a role may not act as it.
    _run(connection, "GRANT {owner} TO CURRENT_USER", owner=account.owner)
    # Cloud SQL exports and imports as members of this role.
    if _exists(connection, "cloudsqlsuperuser"):
        _run(connection, "GRANT {owner} TO cloudsqlsuperuser", owner=account.owner)


def _exists(connection: psycopg.Connection, role: str) -> bool:
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _make_login(connection: psycopg.Connection, account: Account, password: str) -> None:
    login, owner = account.login, account.owner
    if not _exists(connection, login):
        _run(connection, "CREATE ROLE {login}", login=login)
    # To end its sessions, and to take over what it made by SET ROLE NONE.
    _run(connection, "GRANT {login} TO CURRENT_USER", login=login)
    # The server's log may hold statements: it sees what PostgreSQL keeps of a password, not the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    attributes = sql.SQL("ALTER ROLE {} LOGIN INHERIT NOCREATEDB NOCREATEROLE PASSWORD {}")
    connection.execute(attributes.format(sql.Identifier(login), verifier.decode()))
    _run(connection, "GRANT {owner} TO {login}", owner=owner, login=login)
    _run(connection, "ALTER ROLE {login} SET role = {owner}", owner=owner, login=login)
    for (role,) in connection.execute(_MEMBER_OF, [login]).fetchall():
        if role != owner:
            raise RefusedError(f"role {login} is also a member of {role}, which may do more: revoke that")


def _grant(connection: psycopg.Connection, account: Account) -> None:
    for database in {account.database, "postgres"}:
        _run(connection, "REVOKE ALL ON DATABASE {database} FROM PUBLIC", database=database)
    _run(connection, "GRANT CONNECT ON DATABASE {database} TO {owner}", database=account.database, owner=account.owner)
    if _exists(connection, "cloudsqlobservability"):  # Query Insights, which may read statistics and no table
        _run(connection, "GRANT CONNECT ON DATABASE {database} TO cloudsqlobservability", database=account.database)
    _run(connection, "GRANT USAGE, CREATE ON SCHEMA public TO {owner}", owner=account.owner)


def _take_over(connection: psycopg.Connection, account: Account) -> None:
    """Give the role what another one owns: after an import that is everything."""
    for (name,) in connection.execute(_RELATIONS, [account.owner]).fetchall():
        _run(connection, "ALTER TABLE public.{name} OWNER TO {owner}", name=name, owner=account.owner)
    for (name,) in connection.execute(_TYPES, [account.owner]).fetchall():
        _run(connection, "ALTER TYPE public.{name} OWNER TO {owner}", name=name, owner=account.owner)


def _retire(connection: psycopg.Connection, account: Account, wait: float) -> None:
    current = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [account.login]).fetchone()
    if current != (True,):
        raise RefusedError(f"DB_USERNAME={account.login} cannot log in: run `mlflow-database-account prepare` first")
    found = connection.execute(_OTHERS, [account.owner, f"^{account.owner}-[0-9]+$", account.login]).fetchall()
    others = sorted(name for (name,) in found)
    # A server that is stopping still answers requests, and may need another session for them.
    end = time.monotonic() + wait
    while connection.execute(_SESSIONS, [others]).fetchone() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    with connection.transaction():
        connection.execute(_LOCK)
        for role in others:
            _run(connection, "ALTER ROLE {role} NOLOGIN PASSWORD NULL", role=role)
    for role in others:
        _end_sessions(connection, role)
        _drop(connection, role)


def _end_sessions(connection: psycopg.Connection, role: str) -> None:
    sessions = connection.execute(_SESSIONS, [[role]]).fetchall()
    if sessions:
        for (pid,) in sessions:
            connection.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        _say(f"ended {len(sessions)} sessions of {role}")


def _drop(connection: psycopg.Connection, role: str) -> None:
    try:
        _run(connection, "DROP ROLE IF EXISTS {role}", role=role)
    except errors.DependentObjectsStillExist:
        _say(f"{role} can no longer log in; it stays, since something belongs to it")
    else:
        _say(f"{role} is gone")


if __name__ == "__main__":
    sys.exit(main())
