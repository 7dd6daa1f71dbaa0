"""One local installation: everything that belongs to it follows from its name.

Two instances never share an address, a folder or a name in Docker, so a test's instance runs beside a person's.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from local.errors import UserError

DEFAULT_NAME = "mlflow"
NAME_VARIABLE = "MLFLOW_LOCAL_INSTANCE"
LATE_VARIABLE = "MLFLOW_LOCAL_LATE_SECONDS"
_STATE = (
    Path("/var/lib") if os.geteuid() == 0 else Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
)
STATE_ROOT = _STATE / "mlflow-local"
"""Root's is not below its home, since PostgreSQL, which refuses to run as root, may not look in there."""


@dataclass(frozen=True)
class Instance:
    """A local installation.

    Attributes:
        name: at most 20 lower-case letters, digits and hyphens, a letter first and no hyphen last.

    """

    name: str

    @classmethod
    def named(cls, name: str | None = None) -> "Instance":
        """Return the instance of that name, by default the one that MLFLOW_LOCAL_INSTANCE names.

        Raises:
            UserError: not a usable name.

        """
        chosen = name or os.environ.get(NAME_VARIABLE) or DEFAULT_NAME
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", chosen):
            raise UserError(
                f"{NAME_VARIABLE}={chosen!r} is not a name for an instance: "
                "use at most 20 lower-case letters, digits and hyphens, a letter first and no hyphen last"
            )
        return cls(chosen)

    @property
    def state(self) -> Path:
        """The folder that holds everything that outlives a stop."""
        return STATE_ROOT / self.name

    @property
    def number(self) -> int:
        """A number from 1 to 254 that follows from the name; the default name has 1."""
        if self.name == DEFAULT_NAME:
            return 1
        return 2 + int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big") % 253

    @property
    def subnet(self) -> str:
        """All addresses of the instance."""
        return f"10.89.{self.number}.0/24"

    @property
    def node_subnet(self) -> str:
        """The network between this machine and the node: one of Docker's."""
        return f"10.89.{self.number}.0/25"

    @property
    def host_address(self) -> str:
        """The machine itself in that network; pods know it as host.minikube.internal."""
        return f"10.89.{self.number}.1"

    @property
    def node_address(self) -> str:
        """The node in that network."""
        return f"10.89.{self.number}.2"

    @property
    def sql_addresses(self) -> str:
        """Addresses on this machine, one for each Cloud SQL instance.

        They are outside the node's network, since Docker rewrites the source of what this machine sends into it.
        """
        return f"10.89.{self.number}.128/25"

    @property
    def late_seconds(self) -> int:
        """After how many seconds a grant counts and an Ingress has its address: minutes at Google, at once here.

        Raises:
            UserError: MLFLOW_LOCAL_LATE_SECONDS is no number.

        """
        chosen = os.environ.get(LATE_VARIABLE, "0")
        if not re.fullmatch(r"[0-9]{1,4}", chosen):
            raise UserError(f"{LATE_VARIABLE}={chosen!r} is no number of seconds: use a whole one, such as 60")
        return int(chosen)

    @property
    def gcp_port(self) -> int:
        """The port of the Google Cloud stand-in, on loopback and on the gateway of the node's network."""
        return 14000 + self.number

    @property
    def gcp_endpoint(self) -> str:
        """The base address of the Google Cloud stand-in, as the node sees it."""
        return f"http://{self.host_address}:{self.gcp_port}"

    @property
    def profile(self) -> str:
        """The minikube profile, and with it the names of the node, its network and the kubeconfig's context."""
        return "mlflow-local" if self.name == DEFAULT_NAME else f"mlflow-local-{self.name}"

    @property
    def run_dir(self) -> Path:
        """The folder of process id files."""
        return self.state / "run"

    @property
    def log_dir(self) -> Path:
        """The folder of logs."""
        return self.state / "logs"
