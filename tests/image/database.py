"""A database instance as Cloud SQL gives it, and what the server's programs are told of it."""

import secrets
from dataclasses import dataclass, replace

import psycopg

from tests.gcp.standin import PASSWORD, StandIn, address, connect


class Instance:
    """An instance of the stand-in, whose log names statements as a durable stack's does."""

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self.description = standin.create("image", databaseFlags=[{"name": "log_statement", "value": "ddl"}])

    def database(self) -> "Database":
        """Make a database."""
        name = "tracking_" + secrets.token_hex(4)
        self._standin.done(self._standin.sql("POST", "instances/image/databases", {"name": name}))
        return Database(instance=self, name=name, login=f"{name}-1")

    def log(self) -> str:
        """Return everything that PostgreSQL logged."""
        (file,) = self._standin.state.glob("sql/*/postgres.log")
        return file.read_text()


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database, and the account that the server has there."""

    instance: Instance
    name: str
    login: str
    password: str = "of the first generation"  # noqa: S105 - of a database that lives for one test

    @property
    def owner(self) -> str:
        """Whom the account acts as."""
        return self.login.rpartition("-")[0]

    def generation(self, number: int) -> "Database":
        """Return the same database with the account of another generation."""
        return replace(self, login=f"{self.owner}-{number}", password=f"of generation {number}")

    def for_server(self) -> list[str]:
        """Return the environment of a server."""
        plain = {"DB_NAME": self.name, "DB_USERNAME": self.login, "DB_PASSWORD": self.password}
        host = {"PGHOST": address(self.instance.description), "PGSSLMODE": "require", "PGDATABASE": self.name}
        account = {"PGUSER": self.login, "PGPASSWORD": self.password}
        return [f"{name}={value}" for name, value in {**plain, **host, **account}.items()]

    def for_administrator(self, **changes: str) -> list[str]:
        """Return the environment of what acts as the instance's administrator."""
        administrator = {"PGUSER": "postgres", "PGPASSWORD": PASSWORD, **changes}
        return [*self.for_server(), *(f"{name}={value}" for name, value in administrator.items())]

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Connect as the account."""
        return connect(self.instance.description, user=self.login, password=self.password, dbname=database or self.name)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Ask the database something as the administrator."""
        with connect(self.instance.description, dbname=self.name) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []
