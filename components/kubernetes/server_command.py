"""The server's command line: pure functions from plain values to arguments of `mlflow`.

Owns which hosts and origins the server answers. What comes from other resources (connection, artifact root) is read
from the container's environment, which Kubernetes expands in `$(NAME)`.
"""

from collections.abc import Sequence
from typing import Literal

from components.kubernetes.address import Address
from components.kubernetes.metrics import FOLDER

ArtifactAccess = Literal["proxied", "direct"]
"""proxied: clients send artifacts through the server. direct: they use the bucket with credentials of their own."""

BACKEND = "postgresql+psycopg://"
"""Where the metadata is: host, account and password stand in libpq's PG* variables, so any character works in them."""


def server_command(  # noqa: PLR0913 - one command line, told in one place
    *,
    port: int,
    workers: int,
    access: ArtifactAccess,
    address: Address,
    service_hosts: Sequence[str],
    users: bool,
    metrics: bool,
) -> list[str]:
    """Return the server's command line.

    Naming hosts replaces MLflow's own list, and they are compared with their port, so each stands there with and
    without. The address is the only origin, besides localhost, whose pages may change anything; it is compared whole.
    """
    artifacts = {
        "proxied": ["--artifacts-destination", "$(DEFAULT_ARTIFACT_ROOT)"],
        "direct": ["--default-artifact-root", "$(DEFAULT_ARTIFACT_ROOT)", "--no-serve-artifacts"],
    }
    within = [form for host in service_hosts for form in (host, f"{host}:{port}")]
    forwarded = [form for host in ("localhost", "127.0.0.1") for form in (host, f"{host}:*")]
    return [
        "mlflow",
        "server",
        *("--host", "0.0.0.0"),  # noqa: S104 - reached through the Service, guarded by the hosts below
        *("--port", str(port)),
        *("--workers", str(workers)),
        *("--backend-store-uri", BACKEND),
        *artifacts[access],
        *("--allowed-hosts", ",".join([*address.hosts, *within, *forwarded])),
        *("--cors-allowed-origins", address.origin),
        *(("--app-name", "basic-auth") if users else ()),
        *(("--expose-prometheus", FOLDER) if metrics else ()),
    ]


def service_hosts(service: str, namespace: str) -> list[str]:
    """Return every name that a Service goes by within its cluster."""
    return [
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
    ]
