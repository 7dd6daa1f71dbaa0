"""What a server is told that people log in to, and its tables of users."""

from pathlib import Path

from components.kubernetes.server_command import BACKEND
from tests.image.container import Unpacked, call

ADMIN = ("admin", "%@:/'\" is a password")
APP = ("--app-name", "kubernetes-basic-auth")
_FILE = "basic_auth.ini"


def configure(
    shared: Path, *, permission: str = "READ", cache_seconds: int = 60, password: str = ADMIN[1]
) -> list[str]:
    """Write the configuration into the folder that the container sees as /shared; return the variables of a server."""
    shared.mkdir(exist_ok=True)
    shared.chmod(0o755)
    (shared / _FILE).write_text(f"""\
[mlflow]
default_permission = {permission}
database_uri = {BACKEND}
admin_username = {ADMIN[0]}
auth_cache_ttl_seconds = {cache_seconds}
""")
    return [
        f"MLFLOW_AUTH_CONFIG_PATH=/shared/{_FILE}",
        f"MLFLOW_AUTH_ADMIN_PASSWORD={password}",
        "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only",
    ]


def prepare(image: Unpacked, folder: Path, environment: list[str], shared: Path) -> None:
    """Make the tables of users and the administrator, as the migration Job does."""
    call(image, folder, ["mlflow-auth-prepare"], environment, shared=shared)
