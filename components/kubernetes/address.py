"""Where clients find the server: at a port of every node, or at a host of its own behind an Ingress.

Pure values; `service` and `ingress` make them true, `server_command` tells the server.
"""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class NodeAddress:
    """A port on every node, over plain HTTP."""

    host: str
    """IPv4 address or DNS name of a node as clients see it."""
    port: int
    """Port on every node, 30000 to 32767."""

    @property
    def origin(self) -> str:
        """What browsers take for one site: scheme, host and port."""
        return f"http://{self.host}:{self.port}"

    @property
    def hosts(self) -> list[str]:
        """The Host headers of clients; a browser sends the port along."""
        return [self.host, f"{self.host}:{self.port}"]


@dataclass(frozen=True, kw_only=True)
class HostAddress:
    """A DNS name behind an Ingress, over TLS."""

    host: str
    """DNS name."""
    ingress_class: str | None
    """IngressClass that serves it, None for the cluster's default."""
    certificate: str | None
    """Certificate and chain (PEM); None where somebody else keeps the Secret `mlflow-tls`."""
    key: pulumi.Input[str] | None
    """Private key (PEM) of the certificate, a secret."""

    @property
    def origin(self) -> str:
        """What browsers take for one site: scheme and host."""
        return f"https://{self.host}"

    @property
    def hosts(self) -> list[str]:
        """The Host headers of clients; some send the port along that they need not."""
        return [self.host, f"{self.host}:443"]


Address = NodeAddress | HostAddress
"""Where clients find the server."""
