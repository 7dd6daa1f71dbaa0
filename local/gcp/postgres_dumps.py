"""Dumps of one database as SQL: taken with pg_dump, read with psql.

A dump names owners and grants, as Cloud SQL's own does: each role in it has to exist where it is read, and whoever
reads it has to be a member of those that own something.
"""

import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path

from local.gcp.errors import OperationFailedError
from local.gcp.postgres import EXPORTER, PORT, Server
from local.gcp.postgres_programs import reason, require, run


def dump(server: Server, database: str, file: Path, options: Sequence[str]) -> None:
    """Write a database to a file as SQL, as far as EXPORTER may read it; compressed where its name ends in .gz."""
    compressed = file.suffix == ".gz"
    plain = file.with_suffix("") if compressed else file
    which = [*_connection(server, EXPORTER), *options, f"--file={plain}", database]
    require([server.program("pg_dump"), *which], user=None)
    if compressed:
        with plain.open("rb") as source, gzip.open(file, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
        plain.unlink()


def load(server: Server, user: str, database: str, file: Path) -> None:
    """Read a file of SQL into a database as one of its users, all of it or nothing.

    The user has to be the server's guest. psql can do whatever its operating system user can, so that is not us.

    Raises:
        OperationFailedError: a statement failed; the message is PostgreSQL's.

    """
    form = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    command = [server.program("psql"), *form, *_connection(server, user), f"--dbname={database}"]
    with file.open("rb") as source:
        status, said = run([*command, "--output=/dev/null"], stdin=source)
    if status:
        raise OperationFailedError("ERROR_RDBMS", f"psql: {reason(said)}")


def _connection(server: Server, user: str) -> list[str]:
    return [f"--host={server.folder / 'run'}", f"--port={PORT}", f"--username={user}", "--no-password"]
