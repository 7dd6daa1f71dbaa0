"""A person on this machine: not root, in the group of Docker, with the programs on PATH that the README asks for."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import image
from local.cache import cache_root
from local.engine.build import engine
from local.instance import NAME_VARIABLE, Instance
from local.minikube import docker, images, programs, registries
from local.packages import install
from tests.in_docker import NAMES, in_docker
from tests.scratch import Scratch

USER = "games"  # PostgreSQL asks for the name of its user, and Debian has this one
INSTANCE = Instance("plain-user")
PYTHON = "/usr/bin/python3"  # another one may lie in a home folder that others may not enter
SOCKET = "/var/run/docker.sock"
PROGRAMS = ("docker", "minikube", "kubectl", "pulumi")


@dataclass(frozen=True)
class Person:
    """A user of this machine.

    Attributes:
        project: the person's own copy of the project.
        group: whose members Docker lets in.

    """

    project: Scratch
    group: int

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy, as that user."""
        return self.project.run("setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={self.group}", "--", *argv)

    @property
    def programs(self) -> Path:
        """The folder of the programs that the README asks for."""
        return self.project.folder.parents[1] / "bin"

    def left(self) -> set[str]:
        """Return what there is of the installation, each as a line of text that begins with its kind."""
        state = self.project.folder.parents[1] / "mlflow-local"
        processes = subprocess.run(["pgrep", "--full", str(state)], check=False, capture_output=True, text=True).stdout
        found = [*(f"process {pid}" for pid in processes.split()), *(f"file {path}" for path in state.rglob("*"))]
        return {*found, *({f"{kind} {INSTANCE.profile}" for kind in NAMES} & in_docker(self.project))}


@pytest.fixture
def person() -> Iterator[Person]:
    """A person without Go and without root's files; whatever is built of Go modules elsewhere was built before."""
    folder = Path(tempfile.mkdtemp(prefix="mlflow-person-"))
    try:
        with docker.engine():
            _remove_left()
            made = _person(folder)
            yield made
            made.run("make", "down")
    finally:
        shutil.rmtree(folder)


def _remove_left() -> None:
    """Remove what a killed run has left in Docker; its folder, and so its `make down`, are gone."""
    for kind in (["rm", "--force", "--volumes"], ["network", "rm"], ["volume", "rm", "--force"]):
        subprocess.run(
            ["docker", *kind, INSTANCE.profile],
            check=False,  # mostly there is nothing
            capture_output=True,
            env={**os.environ, **docker.environment()},
        )


def _person(folder: Path) -> Person:
    host = docker.environment().get("DOCKER_HOST", f"unix://{SOCKET}")
    _put_programs(folder / "bin", folder / "home/.pulumi")
    _put_cache(folder / "cache/mlflow-local")
    if subprocess.run([PYTHON, "-c", "import ensurepip"], check=False).returncode:
        install(["python3-venv"])
    project = Scratch.create(
        folder / "home/project",
        {
            "HOME": str(folder / "home"),
            "PULUMI_HOME": str(folder / "home/.pulumi"),  # by itself it asks where this user's home is
            "USER": USER,
            "PATH": f"{folder}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder),
            "GOFLAGS": "-modfile=/nowhere/go.mod",
            "DOCKER_HOST": host,
            NAME_VARIABLE: INSTANCE.name,
        },
    )
    (project.folder / ".venv").unlink()
    subprocess.run(["chown", "--recursive", f"{USER}:{USER}", folder], check=True)
    return Person(project, Path(host.removeprefix("unix://")).stat().st_gid)


def _put_programs(folder: Path, pulumi_home: Path) -> None:
    """Put programs into a folder for PATH: this machine's own, or else those that are built here."""
    folder.mkdir()
    built = engine()
    path = os.pathsep.join(
        map(
            str,
            [
                docker.environment().get("PATH", os.environ["PATH"]),
                programs.minikube(),
                programs.kubectl(),
                built / "bin",
            ],
        )
    )
    for name in PROGRAMS:
        shutil.copy(str(shutil.which(name, path=path)), folder / name)
    for program in (built / "bin").glob("pulumi-*"):
        shutil.copy(program, folder)
    shutil.copytree(built / "plugins", pulumi_home / "plugins")


def _put_cache(folder: Path) -> None:
    """Have what takes root or Go to build where no image registry answers: in Docker, and in the person's cache."""
    results = [*cache_root().glob("postgresql-*")]
    if not registries.answer():
        image.base()
        images.node()
        results.append(images.preload())
    for result in results:
        shutil.copytree(result, folder / result.name, symlinks=True)
