"""A person's machine for the walk-through: Docker, minikube, kubectl and Pulumi on PATH, and a clone of the project."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from local import image, pip
from local.engine.build import engine
from local.minikube import docker, images, programs, registries
from local.virtualenv import PYTHON
from tests.in_docker import NAMES, in_docker
from tests.scratch import Scratch


@dataclass(frozen=True)
class Terminal:
    """A terminal in a clone: what a block exports, later ones find."""

    project: Scratch

    def type(self, commands: str) -> tuple[str, "Terminal"]:
        """Type commands that have to succeed; return what they print, and the terminal after them."""
        printed, _, after = self.project.output("bash", "-euc", f"{commands}\nprintf '\\0'\nenv -0").partition("\0")
        env = dict(entry.split("=", 1) for entry in after.split("\0") if entry)
        return printed, Terminal(replace(self.project, env=env))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal of a person who has never used minikube or Pulumi."""
    with docker.engine():
        env = {**_programs(), "HOME": str(tmp_path), "PULUMI_HOME": str(tmp_path / ".pulumi")}
        # Pulumi asks the system where a user's home is; after `pulumi login --local`, this has the last word.
        env |= {"PULUMI_BACKEND_URL": f"file://{tmp_path}"}
        env |= {
            "PULUMI_SKIP_CONFIRMATIONS": "true",
            "MINIKUBE_DRIVER": "docker",
            "MINIKUBE_FORCE": str(os.geteuid() == 0),
        }
        shutil.copytree(engine() / "plugins", tmp_path / ".pulumi/plugins")
        if not registries.answer():
            env |= _without_registries(tmp_path)
        project = Scratch.create(tmp_path / "clone", env)
        (project.folder / ".venv").unlink()
        for git in (["init", "--quiet"], ["add", "."], [*_AUTHOR, "commit", "--quiet", "--message=clone"]):
            project.output("git", *git)
        theirs = {f"{kind} minikube" for kind in NAMES} & in_docker(project)
        assert not theirs, "a person's own cluster is here, and is left alone"
        try:
            if not registries.answer():
                _put_base_image(tmp_path / "base")
            yield Terminal(project)
        finally:
            project.run("minikube", "delete")
            if not registries.answer():
                project.run("docker", "image", "rm", "--force", image.BASE)  # it holds the way to the package registry
            project.run("docker", "image", "rm", "--force", f"mlflow-tracking-server:{image.mlflow_version()}")


_AUTHOR = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]


def _programs() -> dict[str, str]:
    """Return the variables with which Docker, minikube, kubectl and Pulumi are found."""
    environment = {"PATH": os.environ["PATH"], **docker.environment(), "DOCKER_BUILDKIT": "1"}
    folders = [engine() / "bin", programs.minikube(), programs.kubectl(), environment["PATH"]]
    return {**environment, "PATH": os.pathsep.join(map(str, folders)), "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _without_registries(home: Path) -> dict[str, str]:
    """Give minikube what it would pull; return the settings by which it takes it."""
    tarballs = home / ".minikube/cache/preloaded-tarball"
    tarballs.mkdir(parents=True)
    (tarballs / images.PRELOAD).symlink_to(images.preload() / images.PRELOAD)
    return {
        "MINIKUBE_BASE_IMAGE": images.node(),
        "MINIKUBE_CONTAINER_RUNTIME": "containerd",
        "MINIKUBE_CNI": "bridge",
        "MINIKUBE_KUBERNETES_VERSION": programs.KUBERNETES_VERSION,
    }


def _put_base_image(context: Path) -> None:
    """Have the image from which the Dockerfile starts, with the way to the package registry that this machine has."""
    context.mkdir()
    pip.secrets(PYTHON, context)
    (context / "Dockerfile").write_text(f"FROM {image.base()}\nCOPY pip.conf /etc/\nCOPY *.pem {pip.IN_THE_BUILD}\n")
    build = ["docker", "build", "--quiet", "--tag", image.BASE, str(context)]
    subprocess.run(build, check=True, env={**os.environ, **docker.environment()}, stdout=subprocess.DEVNULL)
