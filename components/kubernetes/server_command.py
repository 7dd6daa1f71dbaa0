"""The server's command line: pure functions from plain values to arguments of `mlflow`.

Owns which hosts and origins the server answers. What comes from other resources (connection, artifact root) is read
from the container's environment, which Kubernetes expands in `$(NAME)`.
"""

from collections.abc import Sequence
from typing import Literal

ArtifactAccess = Literal["proxied", "direct"]
"""proxied: clients send artifacts through the server. direct: they use the bucket with credentials of their own."""

BACKEND = "postgresql+psycopg://"
"""Where the metadata is: host, account and password stand in libpq's PG* variables, so any character works in them."""

MIGRATION = ("mlflow", "db", "upgrade", BACKEND)
"""Brings the database to the schema of the server; does nothing the second time."""


def server_command(*, port: int, workers: int, access: ArtifactAccess, hosts: Sequence[str], origin: str) -> list[str]:
    """Return the server's command line.

    `origin` is the only one, besides localhost, whose pages may change anything; MLflow compares it whole.
    """
    artifacts = {
        "proxied": ["--artifacts-destination", "$(DEFAULT_ARTIFACT_ROOT)"],
        "direct": ["--default-artifact-root", "$(DEFAULT_ARTIFACT_ROOT)", "--no-serve-artifacts"],
    }
    return [
        "mlflow",
        "server",
        *("--host", "0.0.0.0"),  # noqa: S104 - reached through the Service, guarded by the hosts below
        *("--port", str(port)),
        *("--workers", str(workers)),
        *("--backend-store-uri", BACKEND),
        *artifacts[access],
        *("--allowed-hosts", ",".join(hosts)),
        *("--cors-allowed-origins", origin),
    ]


def allowed_hosts(*, node_address: str, node_port: int, service: str, namespace: str, port: int) -> list[str]:
    """Return every Host header the server answers.

    Naming hosts replaces MLflow's own list, and they are compared with their port, so each stands here with and
    without: the node's address, all names of the Service within the cluster, and localhost for port-forwards.
    """
    names = [
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
    ]
    hosts = [(node_address, str(node_port)), *((name, str(port)) for name in names)]
    hosts += [("localhost", "*"), ("127.0.0.1", "*")]
    return [form for host, host_port in hosts for form in (host, f"{host}:{host_port}")]
