"""Runs the server image as a cluster would, without one: by runc, as its own user, on a read-only root.

Owns what a restricted pod asks for: user 10001, no capabilities, a read-only root with a writable /tmp. The network is
the machine's own, so that a test can call the server.
"""

import json
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


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An image's files and its configuration ("User", "Env", "Entrypoint", …)."""

    root: Path
    config: dict[str, Any]


def unpack(archive: Path, root: Path) -> Unpacked:
    """Unpack the layers of an archive in Docker's format over one another."""
    root.mkdir()
    with tarfile.open(archive) as tar:
        manifest = json.load(_member(tar, "manifest.json"))[0]
        for layer in manifest["Layers"]:
            command = ["tar", "--extract", "--numeric-owner", "--exclude=./dev/*", "--directory", root]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as unpacking:
                assert unpacking.stdin is not None
                file = _member(tar, layer)
                while block := file.read(1 << 20):
                    unpacking.stdin.write(block)
            assert unpacking.returncode == 0
        return Unpacked(root=root, config=json.load(_member(tar, manifest["Config"]))["config"])


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    assert file is not None, name
    return file


@contextmanager
def serving(
    image: Unpacked, folder: Path, options: Sequence[str] = (), env: Sequence[str] = ()
) -> Generator[httpx.Client]:
    """Run the server with `options` until the block ends, and yield a client for it once it answers."""
    port = _free_port()
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *options]
    (folder / "config.json").write_text(json.dumps(_specification(folder, image, arguments, env)))
    command = ["runc", "--root", folder / "runc", "run", "--bundle", folder, f"mlflow-image-test-{port}"]
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as container,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            wait_for(lambda: _healthy(client, container, log), what="the server", deadline=60, log=log)
            yield client
        finally:
            container.terminate()


def call(image: Unpacked, folder: Path, command: Sequence[str]) -> str:
    """Run one command in place of the image's own to its end and return what it printed."""
    specification = _specification(folder, image, [], [])
    specification["process"]["args"] = list(command)
    (folder / "config.json").write_text(json.dumps(specification))
    argv = ["runc", "--root", folder / "runc", "run", "--bundle", folder, f"mlflow-image-test-{_free_port()}"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _healthy(client: httpx.Client, container: subprocess.Popen[bytes], log: Path) -> bool:
    assert container.poll() is None, log.read_text()
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _specification(bundle: Path, image: Unpacked, arguments: Sequence[str], env: Sequence[str]) -> dict[str, Any]:
    subprocess.run(["runc", "spec"], cwd=bundle, check=True)
    specification = json.loads((bundle / "config.json").read_text())
    user, group = image.config["User"].split(":")
    nothing: list[str] = []
    specification["process"] |= {
        "terminal": False,
        "user": {"uid": int(user), "gid": int(group)},
        "args": [*image.config["Entrypoint"], *arguments],
        "env": [*image.config["Env"], *env],
        "cwd": image.config["WorkingDir"],
        "capabilities": dict.fromkeys(specification["process"]["capabilities"], nothing),
    }
    specification["root"] = {"path": str(image.root), "readonly": True}
    linux = specification["linux"]
    linux["namespaces"] = [space for space in linux["namespaces"] if space["type"] != "network"]
    # /sys can only be mounted in a network namespace of one's own.
    kept = [mount for mount in specification["mounts"] if not mount["destination"].startswith("/sys")]
    writable = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]}  # noqa: S108 - the container's own
    specification["mounts"] = [*kept, writable]
    return specification
