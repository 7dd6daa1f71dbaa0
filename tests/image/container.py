"""Runs the server image as a cluster would, without one: by runc, as its own user, on a read-only root.

Owns what a restricted pod asks for: user 10001, no capabilities, a read-only root with a writable /tmp; it is small, so
that a test sees what fills a disk. The network is the machine's own, so that a test can call the server.
"""

import json
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from local.process import wait_for

GZIP = b"\x1f\x8b"  # how a compressed file begins (RFC 1952)
TMP_MIB = 64
"""Size of /tmp."""
STOP_SECONDS = 30
"""For how long a container may take to end."""


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An image's files and its configuration ("User", "Env", "Entrypoint", …)."""

    root: Path
    config: dict[str, Any]


def unpack(archive: Path, root: Path) -> Unpacked:
    """Unpack the layers of an archive, as `docker save` writes it, over one another."""
    root.mkdir()
    with tarfile.open(archive) as tar:
        [image] = json.load(_member(tar, "manifest.json"))
        for layer in image["Layers"]:
            compressed = _member(tar, layer).read(2) == GZIP
            options = ["--numeric-owner", "--exclude=./dev/*", *(["--gzip"] if compressed else [])]
            command = ["tar", "--extract", *options, "--directory", root]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as unpacking:
                assert unpacking.stdin is not None
                shutil.copyfileobj(_member(tar, layer), unpacking.stdin, 1 << 20)
            assert unpacking.returncode == 0
        return Unpacked(root=root, config=json.load(_member(tar, image["Config"]))["config"])


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    assert file is not None, name
    return file


@contextmanager
def serving(  # noqa: PLR0913 - what a server has
    image: Unpacked,
    folder: Path,
    options: Sequence[str] = (),
    env: Sequence[str] = (),
    *,
    shared: Path | None = None,
    memory_mib: int | None = None,
    workers: int = 1,
) -> Generator[httpx.Client]:
    """Run the server with `options` until the block ends, and yield a client for it once it answers."""
    port = free_port()
    place = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    kind = [] if "--app-name" in options else ["--app-name", "kubernetes"]
    command = ["mlflow-serve", *place, *kind, *options]
    with (
        running(image, folder, command, env, shared=shared, memory_mib=memory_mib) as container,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        wait_for(lambda: _healthy(client, container), what="the server", deadline=60, log=container.log)
        yield client


@dataclass(frozen=True, kw_only=True)
class Running:
    """A container in the background, and the file with everything that it prints."""

    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running(  # noqa: PLR0913 - what a container has
    image: Unpacked,
    folder: Path,
    command: Sequence[str],
    env: Sequence[str] = (),
    *,
    shared: Path | None = None,
    memory_mib: int | None = None,
) -> Generator[Running]:
    """Run a command in place of the image's own until the block ends; `shared` is a folder that it sees as /shared."""
    folder.mkdir(exist_ok=True)
    argv = _container(image, folder, command, env, shared=shared, memory_mib=memory_mib)
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process,
    ):
        try:
            yield Running(process=process, log=log)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the container's program to end; fail where it does not, and end it."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # runc goes with the last process of its container.
        subprocess.run(["pkill", "--signal", "KILL", "--parent", str(process.pid)], check=True)
        raise


def attempt(
    image: Unpacked, folder: Path, command: Sequence[str], env: Sequence[str] = (), *, shared: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command in place of the image's own to its end."""
    folder.mkdir(exist_ok=True)
    argv = _container(image, folder, command, env, shared=shared)
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def call(
    image: Unpacked, folder: Path, command: Sequence[str], env: Sequence[str] = (), *, shared: Path | None = None
) -> str:
    """Run one command in place of the image's own, which has to succeed, and return what it printed."""
    done = attempt(image, folder, command, env, shared=shared)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _container(  # noqa: PLR0913 - what a container has
    image: Unpacked,
    folder: Path,
    command: Sequence[str],
    env: Sequence[str],
    *,
    shared: Path | None,
    memory_mib: int | None = None,
) -> list[str | Path]:
    """Describe a container in `folder` and return the command that runs it."""
    specification = _specification(folder, image, command, env, shared)
    if memory_mib is not None:
        specification["linux"]["resources"]["memory"] = {"limit": memory_mib << 20}
    (folder / "config.json").write_text(json.dumps(specification))
    return ["runc", "--root", folder / "runc", "run", "--bundle", folder, f"mlflow-image-test-{free_port()}"]


def _healthy(client: httpx.Client, container: Running) -> bool:
    assert container.process.poll() is None, container.log.read_text()
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _specification(
    bundle: Path, image: Unpacked, command: Sequence[str], env: Sequence[str], shared: Path | None
) -> dict[str, Any]:
    (bundle / "config.json").unlink(missing_ok=True)
    subprocess.run(["runc", "spec"], cwd=bundle, check=True)
    specification = json.loads((bundle / "config.json").read_text())
    user, group = image.config["User"].split(":")
    nothing: list[str] = []
    specification["process"] |= {
        "terminal": False,
        "user": {"uid": int(user), "gid": int(group)},
        "args": list(command),
        "env": [*image.config["Env"], *env],
        "cwd": image.config["WorkingDir"],
        "capabilities": dict.fromkeys(specification["process"]["capabilities"], nothing),
    }
    specification["root"] = {"path": str(image.root), "readonly": True}
    linux = specification["linux"]
    linux["namespaces"] = [space for space in linux["namespaces"] if space["type"] != "network"]
    # /sys can only be mounted in a network namespace of one's own.
    kept = [mount for mount in specification["mounts"] if not mount["destination"].startswith("/sys")]
    options = ["nosuid", "mode=1777", f"size={TMP_MIB}m"]
    writable = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": options}  # noqa: S108 - the container's own
    seen = {"destination": "/shared", "type": "bind", "source": str(shared), "options": ["rbind"]}
    specification["mounts"] = [*kept, writable, *([seen] if shared else [])]
    return specification
