"""The server's command line: pure functions from plain values to arguments of `mlflow`.

Owns which hosts and origins the server answers. What comes from other resources (connection, artifact root) is read
from the container's environment, which Kubernetes expands in `$(NAME)`.
"""

from collections.abc import Sequence
from typing import Literal

from components.kubernetes.address import Address
from components.kubernetes.metrics import FOLDER

ArtifactAccess = Literal["proxied", "direct"]
"""How clients reach the artifacts of new experiments.

proxied: through the server. direct: in the bucket, with credentials of their own. Those of existing experiments stay
where they were made: their addresses are in the database.
"""

# Who waits for a database that has gone silent notices after 10 seconds when it was asked something, and after 20 when
# it is at work on an answer; without these the kernel would wait for 15 minutes, or for ever.
_LIMITS = "connect_timeout=10&tcp_user_timeout=10000&keepalives_idle=10&keepalives_interval=5&keepalives_count=2"

BACKEND = f"postgresql+psycopg2://?{_LIMITS}"
"""Where the metadata is: host, account and password stand in libpq's PG* variables, so any character works in them."""

# Whoever keeps a connection to the server has to be the one that closes it, or a request meets a closed one. Google's
# load balancer keeps it for 600 s: cloud.google.com/load-balancing/docs/https, under timeouts and retries.
_KEEP_ALIVE_SECONDS = 620

_ARTIFACT_ROOT = "$(DEFAULT_ARTIFACT_ROOT)"


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
    within = [form for host in service_hosts for form in (host, f"{host}:{port}")]
    forwarded = [form for host in ("localhost", "127.0.0.1") for form in (host, f"{host}:*")]
    return [
        "mlflow-serve",
        *("--host", "0.0.0.0"),  # noqa: S104 - reached through the Service, guarded by the hosts below
        *("--port", str(port)),
        *("--workers", str(workers)),
        *("--uvicorn-opts", f"--timeout-keep-alive {_KEEP_ALIVE_SECONDS}"),
        *("--backend-store-uri", BACKEND),
        # With direct access as well: experiments made before it name the server as the way to their artifacts.
        *("--artifacts-destination", _ARTIFACT_ROOT),
        *(("--default-artifact-root", _ARTIFACT_ROOT) if access == "direct" else ()),
        *("--allowed-hosts", ",".join([*address.hosts, *within, *forwarded])),
        *("--cors-allowed-origins", address.origin),
        *("--app-name", "kubernetes-basic-auth" if users else "kubernetes"),
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
