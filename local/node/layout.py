"""Where the node keeps its files and which addresses it uses; all of it follows from the instance."""

from dataclasses import dataclass
from pathlib import Path

from local.instance import Instance

API_PORT = 6443
PROXY_HEALTH_PORT = 10256
METRICS_PORT = 4443
POD_ADDRESSES = "10.244.0.0/16"
SERVICE_ADDRESSES = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"  # Kubernetes takes the first of the service addresses
DNS_ADDRESS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
# The folders of the programs that are built, as the mount namespace shows them.
PROGRAMS = Path("/run/programs")
METRICS_SERVER = Path("/run/metrics-server")


@dataclass(frozen=True)
class Layout:
    """The node's files and names."""

    instance: Instance

    @property
    def folder(self) -> Path:
        """Everything of the node that outlives a stop (mode 0700)."""
        return self.instance.state / "node"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.folder / "pki"

    @property
    def config(self) -> Path:
        """Generated configuration files."""
        return self.folder / "config"

    @property
    def ingress(self) -> Path:
        """What nginx is configured by."""
        return self.folder / "ingress"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd listens; reachable from outside the namespaces as well."""
        return self.folder / "containerd.sock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig (mode 0600)."""
        return self.folder / "kubeconfig"

    @property
    def api_url(self) -> str:
        """The API server's address, the same from the host, the node and pods."""
        return f"https://{self.instance.node_address}:{API_PORT}"

    @property
    def node_name(self) -> str:
        """What the node is called in Kubernetes."""
        return self.instance.network_namespace
