"""Dumps of one database as SQL: taken with pg_dump, read with psql.

A dump names no owners and no grants, since those who own and grant here need not exist where it is read; whoever reads
it owns what it makes.
"""

import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path

from local.gcp.errors import OperationFailedError
from local.gcp.postgres import ADMINISTRATOR, PORT, Server
from local.gcp.postgres_programs import last_line, require, run


def dump(server: Server, database: str, file: Path, options: Sequence[str]) -> None:
    """Write a database as SQL to a file, compressed where its name ends in .gz."""
    compressed = file.suffix == ".gz"
    plain = file.with_suffix("") if compressed else file
    which = [*_connection(server, ADMINISTRATOR), "--no-owner", "--no-acl", *options, f"--file={plain}", database]
    require(["pg_dump", *which], user=None)
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
    connection = [*_connection(server, user), f"--dbname={database}"]
    command = ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *connection]
    with file.open("rb") as source:
        status, said = run([*command, "--output=/dev/null"], stdin=source)
    if status:
        errors = [line for line in said.splitlines() if "ERROR" in line or "FATAL" in line]
        raise OperationFailedError("ERROR_RDBMS", f"psql: {errors[0] if errors else last_line(said)}")


def _connection(server: Server, user: str) -> list[str]:
    return [f"--host={server.folder / 'run'}", f"--port={PORT}", f"--username={user}", "--no-password"]
