"""What the Google Cloud layer hands to the Kubernetes layer: how the metadata database is reached."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database and the account that the server uses in it."""

    host: pulumi.Input[str]
    """IPv4 address of the PostgreSQL server."""
    name: pulumi.Input[str]
    """Name of the database."""
    user: pulumi.Input[str]
    """Account of the server."""
    password: pulumi.Input[str]
    """Password of the account, a secret."""
    server_ca: pulumi.Input[str]
    """Certificate (PEM) of the authority that signed the server's certificate; the client verifies with it."""
    administrator_password: pulumi.Input[str] | None
    """Password of `postgres`, who makes the account in the database; None where the account is `postgres` itself."""
