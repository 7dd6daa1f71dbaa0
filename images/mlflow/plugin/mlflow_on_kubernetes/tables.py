"""Whether the database's tables are those of this release: a newer one migrates them while servers of this one run.

MLflow names each form of its tables by a revision, and a table of one row notes which one a database has. Knows nothing
of how tables are migrated; `mlflow-migrate` does that, and announces it by an advisory lock, which its session holds.
"""

import json
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psycopg
from psycopg import errors, sql

EXPERIMENTS, USERS = "alembic_version", "alembic_version_auth"
ANNOUNCEMENT = (0x6D6C666C, 1)
"""Advisory lock that is held while tables are migrated."""
INTERVAL = 2
"""Seconds between two looks of a server."""

_REVISIONS = Path(sys.prefix, "revisions.json")  # written when the image is built
_IS_ANNOUNCED = """
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# A connection that the network dropped is noticed on both sides: a lock must not outlive who holds it.
_SESSION = "-c statement_timeout=3000 -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


def connect() -> psycopg.Connection:
    """Connect as libpq's PG* variables say, for short questions."""
    return psycopg.connect(
        autocommit=True,
        connect_timeout=3,
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
        tcp_user_timeout=30_000,
        options=_SESSION,
        application_name="mlflow-tables",
    )


@cache
def known() -> dict[str, Sequence[str]]:
    """Return the revisions that this release knows, newest first, by the table that notes the current one."""
    revisions: dict[str, Sequence[str]] = json.loads(_REVISIONS.read_text())
    with_users = "MLFLOW_AUTH_CONFIG_PATH" in os.environ
    return {table: names for table, names in revisions.items() if with_users or table != USERS}


def noted(connection: psycopg.Connection, table: str) -> str | None:
    """Return the revision that a table notes; None without such a table."""
    try:
        row = connection.execute(sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(table))).fetchone()
    except errors.UndefinedTable:
        return None
    return None if row is None else str(row[0])


def obstacle(connection: psycopg.Connection) -> str | None:
    """Return why this release cannot serve now, as a sentence for clients; None where it can.

    Raises:
        psycopg.Error: the database cannot be asked.

    """
    # In this order: whoever sees that the lock is gone sees what was done under it as well.
    if connection.execute(_IS_ANNOUNCED, ANNOUNCEMENT).fetchone() is not None:
        return "The database's tables are being migrated to another release of MLflow: try again later."
    for table, revisions in known().items():
        found = noted(connection, table)
        if found == revisions[0]:
            continue
        who = "no release has made the tables yet" if found is None else f"they are of revision {found}"
        if found is not None and found not in revisions:
            who = f"a newer release has migrated them to revision {found}"
        return f"The database's tables do not fit this release of MLflow ({revisions[0]}), {who}: try again later."
    return None
