#!/opt/mlflow/bin/python3
"""Brings the tables of experiments, and those of users that are there, to this release: `mlflow-migrate`.

MLflow's migrations hold all that they touch until their end, and servers of another release cannot use the tables
afterwards. So servers are told first, by an advisory lock (see mlflow_on_kubernetes.tables), and answer that clients
shall try again. Nobody is told before every table could be locked at once: who reads for long, an export for instance,
holds up this program and nobody else.

Connects as libpq's PG* variables say. Where nothing is to be migrated, it ends at once and touches nothing.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial

import psycopg
from mlflow_on_kubernetes import tables
from psycopg import errors

# The network may drop a connection that is silent while PostgreSQL builds an index.
_BACKEND = "postgresql+psycopg://?keepalives_idle=30&keepalives_interval=10&keepalives_count=3"
_LOCK_SECONDS = 4
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5, 60
_NOTICED_SECONDS = 2 * tables.INTERVAL + 1  # by which every server has seen the announcement
# Tables of alembic's own stay readable, since servers ask them.
_LOCK_ALL = (  # every table until the transaction's end, all within a few seconds or none
    f"SET LOCAL statement_timeout = '{_LOCK_SECONDS}s'",
    """
    DO $$ DECLARE names text; BEGIN
    SELECT string_agg(quote_ident(relname), ', ') INTO names FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND relname !~ '^alembic_version' AND has_table_privilege(oid, 'TRUNCATE');
    IF names IS NOT NULL THEN EXECUTE 'LOCK TABLE ' || names || ' IN ACCESS EXCLUSIVE MODE'; END IF;
    END $$
    """,
    "SET LOCAL statement_timeout = 0",
)
_HOLDERS = """
    SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), min(relname)
    FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN pg_class ON pg_class.oid = relation
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND granted AND pid <> pg_backend_pid()
    GROUP BY 1, 2, 3, xact_start ORDER BY xact_start NULLS FIRST LIMIT 3
"""
_IN_USE = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected)


class RefusedError(Exception):
    """Something that has to be put right outside; the message says what and how."""


class InUseError(Exception):
    """Somebody else uses what is to be migrated; another attempt may succeed."""


def main() -> int:
    """Migrate and return the exit status; what cannot be done is one line on stderr."""
    parser = argparse.ArgumentParser(prog="mlflow-migrate", description=__doc__)
    parser.add_argument("--patience", type=float, default=1500, help="seconds to wait for who uses the tables (1500)")
    patience: float = parser.parse_args().patience
    os.environ["PGOPTIONS"] = f"{os.environ.get('PGOPTIONS', '')} -c lock_timeout={_LOCK_SECONDS}s"
    try:
        with tables.connect() as connection:
            _persist(connection, time.monotonic() + patience)
    except RefusedError as refused:
        _say(str(refused))
        return 1
    except psycopg.Error as error:
        _say(f"as PGUSER={os.environ.get('PGUSER')} on PGHOST={os.environ.get('PGHOST')}: {error}")
        return 1
    return 0


def _say(text: str) -> None:
    print("mlflow-migrate:", " ".join(text.split()), file=sys.stderr, flush=True)  # noqa: T201 - what it is for


def _persist(connection: psycopg.Connection, end: float) -> None:
    """Try until it is done or `end`, by the clock of time.monotonic, has come."""
    pause = _FIRST_PAUSE_SECONDS
    while behind := _behind(connection):
        try:
            _attempt(connection, behind)
        except InUseError as error:
            if time.monotonic() + pause > end:
                raise RefusedError(f"{error}; end what uses them, or wait for its end, and run this again") from error
            _say(f"{error}; trying again in {pause} s")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    _say("the tables are those of this release")


def _behind(connection: psycopg.Connection) -> dict[str, str | None]:
    """Return what notes a revision older than this release's, with that revision.

    Tables of users that are not there yet are left to mlflow-auth-prepare: no server uses them.
    """
    found = {table: tables.noted(connection, table) for table in tables.known()}
    for table, revision in found.items():
        if revision is not None and revision not in tables.known()[table]:
            raise RefusedError(
                f"{table} notes revision {revision}, which this release does not know: a newer one has migrated the"
                " tables. Run that one, or go back to a backup (`python -m operations downgrade`)"
            )
    behind = {table: revision for table, revision in found.items() if revision != tables.known()[table][0]}
    if behind.get(tables.USERS, "") is None:
        del behind[tables.USERS]
    return behind


def _attempt(connection: psycopg.Connection, behind: dict[str, str | None]) -> None:
    upgrades = [_UPGRADES[table]() for table in behind]
    if behind.get(tables.EXPERIMENTS, "") is None:  # no server can use such tables
        _run(upgrades)
        return
    try:
        with connection.transaction(force_rollback=True):
            for statement in _LOCK_ALL:
                connection.execute(statement.encode())
        with _announced(connection):
            _run(upgrades)
    except _IN_USE as error:
        raise InUseError(f"the tables are in use: {_holders(connection)}") from error


def _run(upgrades: Sequence[Callable[[], None]]) -> None:
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - see below

    try:
        for upgrade in upgrades:
            upgrade()
    except DBAPIError as error:
        raise error.orig or error from error  # psycopg's own


def _holders(connection: psycopg.Connection) -> str:
    found = connection.execute(_HOLDERS).fetchall()
    return ", ".join(f"process {pid} of {user} ({program}) holds {table}" for pid, user, program, table in found)


@contextmanager
def _announced(connection: psycopg.Connection) -> Generator[None]:
    """Have servers out of service; they come back by themselves if the tables are still theirs afterwards."""
    taken = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", tables.ANNOUNCEMENT).fetchone()
    if taken != (True,):
        raise InUseError("the tables are being migrated already")
    try:
        _say("servers answer 503 from now on, until those of this release serve; clients try again by themselves")
        time.sleep(_NOTICED_SECONDS)
        begun = time.monotonic()
        yield
        _say(f"migrated within {time.monotonic() - begun:.0f} s")
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", tables.ANNOUNCEMENT)


def _of_experiments() -> Callable[[], None]:
    """Import what takes seconds, and return what then migrates the tables of experiments."""
    from alembic import command, config  # noqa: PLC0415 - see above
    from mlflow import db  # noqa: PLC0415
    from sqlalchemy import Connection, create_engine, event, inspect  # noqa: PLC0415

    engine = create_engine(_BACKEND)

    def lock(begun: Connection) -> None:
        """Lock everything at the beginning: a lock that cannot be had later would undo the work of hours."""
        for statement in _LOCK_ALL:
            begun.exec_driver_sql(statement)

    def upgrade() -> None:
        if not inspect(engine).get_table_names():
            db.upgrade.main([_BACKEND], standalone_mode=False)
            return
        event.listen(engine, "begin", lock)
        revisions = config.Config()
        revisions.set_main_option("script_location", "mlflow:store/db_migrations")
        with engine.connect() as connection:  # of which MLflow's script takes the engine
            revisions.attributes["connection"] = connection
            command.upgrade(revisions, "heads")

    return upgrade


def _of_users() -> Callable[[], None]:
    """Likewise for the tables of users."""
    from mlflow.server.auth.db import utils  # noqa: PLC0415 - see above
    from sqlalchemy import create_engine  # noqa: PLC0415

    return partial(utils.migrate, create_engine(_BACKEND), "head")


_UPGRADES = {tables.EXPERIMENTS: _of_experiments, tables.USERS: _of_users}

if __name__ == "__main__":
    sys.exit(main())
