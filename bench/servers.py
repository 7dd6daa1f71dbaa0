"""The servers that the one behind the NodePort is held against, on this machine and at the same PostgreSQL.

Both get the connection of the pod by libpq's variables, its certificate check included.
"""

import os
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.installation import Installation
from bench.plain import server
from bench.pod import Container
from local.debian import ALONE
from local.process import wait_for
from tests.image.container import Unpacked, serving

LIBPQ = ("PGHOST", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSSLMODE")
START_SECONDS = 120


@contextmanager
def bare(installation: Installation, pod: Container, image: Unpacked) -> Generator[str]:
    """Run the pod's own image with its own arguments and environment, without Kubernetes; yield its URL."""
    _write_certificate(installation, image.root / pod.environment()["PGSSLROOTCERT"].lstrip("/"))
    arguments = pod.command()
    options = arguments[arguments.index("--workers") :]
    folder = installation.folder / "bare"
    folder.mkdir()
    with serving(image, folder, options, [f"{name}={value}" for name, value in pod.environment().items()]) as client:
        yield str(client.base_url).rstrip("/")


@contextmanager
def plain(installation: Installation, pod: Container, workers: int) -> Generator[str]:
    """Run a plain install of MLflow with its defaults but for the workers and PostgreSQL; yield its URL."""
    folder = installation.folder / "plain"
    _write_certificate(installation, folder / "server-ca.pem")
    connection = {name: pod.environment()[name] for name in LIBPQ} | {"PGSSLROOTCERT": str(folder / "server-ca.pem")}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true", **connection}
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [server() / "bin" / "python", "-m", "mlflow", "server", "--port", str(port)]
    argv += ["--workers", str(workers), "--backend-store-uri", "postgresql+psycopg2://"]
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen([*ALONE, *argv], cwd=folder, env=env, stdout=output, stderr=output) as process,
    ):
        try:
            wait_for(lambda: _healthy(url, process), what="the plain server", deadline=START_SECONDS, log=log)
            yield url
        finally:
            process.kill()  # and all its children with it: see ALONE


def _write_certificate(installation: Installation, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    template = 'go-template={{index .data "server-ca.pem"}}'
    file.write_text(installation.kubectl("get", "configmap", "mlflow-database-ca", "--output", template))


def _healthy(url: str, server: subprocess.Popen[bytes]) -> bool:
    assert server.poll() is None, "the plain server ended at once"
    try:
        return httpx.get(f"{url}/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
