"""Runs a plain installation's server on this machine: MLflow's defaults, and the database and bucket it is given."""

import os
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.plain import everything
from local.debian import ALONE
from local.process import wait_for
from tests.image.container import free_port
from tests.image.routes import WALK, Route, routes

START_SECONDS = 120


@contextmanager
def serving(folder: Path, options: Sequence[str], env: Mapping[str, str]) -> Generator[httpx.Client]:
    """Run the server with `options` until the block ends, and yield a client for it once it answers."""
    port = free_port()
    # One worker: what a process only remembers, it has to be asked for again.
    place = ["--port", str(port), "--workers", "1"]
    argv = [*ALONE, everything() / "bin" / "python", "-m", "mlflow", "server", *place, *options]
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(argv, cwd=folder, env=_environment(folder, env), stdout=output, stderr=output) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        try:
            wait_for(lambda: _healthy(client, process, log), what="the plain server", deadline=START_SECONDS, log=log)
            yield client
        finally:
            process.kill()  # and all its children with it: see ALONE


def walk(folder: Path, env: Mapping[str, str]) -> set[Route]:
    """Return the routes of a plain installation."""
    argv = [everything() / "bin" / "python", "-c", WALK]
    environment = _environment(folder, env)
    done = subprocess.run(argv, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return set[Route]().union(*routes(done.stdout).values())


def _environment(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true", **env}


def _healthy(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False
