"""Starts, stops and removes the minikube profile of an instance.

minikube's files of an instance are kept with the instance, so that what a person's own minikube holds is neither read
nor changed. What it pulls, or what is built in place of that, is shared by all instances, as a cache.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.cache import cache_root
from local.command import WITHOUT_PROXY, output
from local.engine.environment import first_on_path
from local.errors import UserError
from local.instance import Instance
from local.minikube import checks, docker, images, network, programs, registries
from local.minikube.programs import KUBERNETES_VERSION
from local.progress import step

QUIET = {
    "MINIKUBE_IN_STYLE": "false",
    "MINIKUBE_WANTUPDATENOTIFICATION": "false",
    "MINIKUBE_WANTREPORTERRORPROMPT": "false",
}


@dataclass(frozen=True, kw_only=True)
class Status:
    """What runs of a cluster, as `minikube status` tells."""

    host: str
    kubelet: str
    api_server: str

    @property
    def ready(self) -> bool:
        """Tell whether all of it runs."""
        return {self.host, self.kubelet, self.api_server} == {"Running"}


def kubeconfig(instance: Instance) -> Path:
    """Return the administrator's kubeconfig; it exists once the cluster was up."""
    return instance.state / "kubeconfig"


def environment(instance: Instance, path: str | None = None) -> dict[str, str]:
    """Return the variables with which `docker`, `minikube` and `kubectl` act on the instance.

    Args:
        instance: whose cluster.
        path: the PATH to put our programs in front of, by default this process's.

    """
    variables = {"PATH": path or os.environ.get("PATH", ""), **docker.environment(path), **QUIET}
    for folder in _tools():
        variables["PATH"] = first_on_path(folder, variables["PATH"])
    return variables | {
        "MINIKUBE_HOME": str(home(instance)),
        "MINIKUBE_PROFILE": instance.profile,
        "KUBECONFIG": str(kubeconfig(instance)),
    }


def provide(instance: Instance) -> None:
    """Build what is missing: programs, and what a new node would pull where no registry answers.

    Raises:
        UserError: a new node has no room here, or something can not be built.

    """
    if not exists(instance):
        checks.room()
    _tools()
    if not exists(instance) and not registries.answer():
        images.node()
        images.preload()


def _tools() -> list[Path]:
    """Return the folders of what is built here since it is not on PATH."""
    return [
        *([] if _on_path("minikube") else [programs.minikube()]),
        *([] if _on_path("kubectl") else [programs.kubectl()]),
    ]


def _on_path(name: str) -> bool:
    found = shutil.which(name)
    return found is not None and not Path(found).resolve().is_relative_to(cache_root().resolve())


def log(instance: Instance) -> Path:
    """Return the file in which minikube notes what it does."""
    return instance.log_dir / "minikube.log"


def status(instance: Instance) -> Status:
    """Look at what runs."""
    if not exists(instance):
        return Status(host="Nonexistent", kubelet="Nonexistent", api_server="Nonexistent")
    asked = subprocess.run(
        ["minikube", "status", "--output=json"],
        check=False,  # its status tells once more what it prints
        capture_output=True,
        text=True,
        env={**os.environ, **environment(instance)},
    )
    told = [line for line in asked.stdout.splitlines() if '"Host"' in line]  # other lines are of what went wrong
    said: dict[str, str] = json.loads(told[0]) if told else {}
    return Status(
        host=said.get("Host", "Nonexistent"),
        kubelet=said.get("Kubelet", "Nonexistent"),
        api_server=said.get("APIServer", "Nonexistent"),
    )


def connect(instance: Instance) -> None:
    """Make the cluster's network, which needs no node yet.

    Raises:
        UserError: its name or its addresses are in use already.

    """
    if not home(instance).exists():
        checks.names(instance)
        checks.addresses(instance)
        home(instance).mkdir(mode=0o700, parents=True)
        docker.note(instance.name)
    network.up(instance)


def up(instance: Instance) -> None:
    """Start the cluster unless it runs, and wait until it is ready.

    Raises:
        UserError: something did not get ready in time.

    """
    if not status(instance).ready:
        with step("minikube: starting the cluster"):
            _minikube(instance, "start", *_options(instance))
        network.route(instance)
    if not json.loads(_configuration(instance).read_text())["Addons"].get("metrics-server"):
        _minikube(instance, "addons", "enable", "metrics-server", *images.metrics_server_options())


def load(instance: Instance, image: str, archive: Path) -> None:
    """Bring an image into the cluster, unless it is there."""
    if image not in _minikube(instance, "image", "ls").split():
        with step(f"minikube: loading the image {image}"):
            _minikube(instance, "image", "load", str(archive))


def down(instance: Instance) -> None:
    """Stop the cluster; what is on disk stays."""
    if exists(instance):
        docker.up(instance.name)
        with step("minikube: stopping the cluster"):
            _minikube(instance, "stop")


def purge(instance: Instance) -> None:
    """Remove the cluster with everything that it holds."""
    if home(instance).exists():
        docker.up(instance.name)
        if exists(instance):
            with step("minikube: deleting the cluster"):
                _minikube(instance, "delete")
        network.down(instance)
        shutil.rmtree(home(instance))
    kubeconfig(instance).unlink(missing_ok=True)


def exists(instance: Instance) -> bool:
    """Tell whether a cluster was begun; it may be stopped."""
    return _configuration(instance).exists()


def _configuration(instance: Instance) -> Path:
    return home(instance) / "profiles" / instance.profile / "config.json"


def home(instance: Instance) -> Path:
    """Return the folder of minikube's files of an instance."""
    return instance.state / ".minikube"


def _options(instance: Instance) -> list[str]:
    """Return how a cluster is started: of what people pull where they can, else of what is built here."""
    # minikube's docker driver is not for root, unless root insists.
    always = ["--interactive=false", *(["--force"] if os.geteuid() == 0 else [])]
    if exists(instance):
        return always
    options = [
        *always,
        "--driver=docker",
        "--container-runtime=containerd",
        "--cni=bridge",
        f"--kubernetes-version={KUBERNETES_VERSION}",
        "--cpus=no-limit",
        "--memory=no-limit",
        "--embed-certs",
        "--install-addons=false",
    ]
    if not registries.answer():
        options.append(f"--base-image={images.node()}")
        _link(home(instance) / "cache" / "preloaded-tarball" / images.PRELOAD, images.preload() / images.PRELOAD)
    return options


def _link(name: Path, target: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    name.unlink(missing_ok=True)
    name.symlink_to(target)


def _minikube(instance: Instance, *arguments: str) -> str:
    instance.log_dir.mkdir(parents=True, exist_ok=True)
    command = ["minikube", *arguments, f"--log_file={log(instance)}"]
    try:
        return output(command, env={**WITHOUT_PROXY, **environment(instance)})
    except UserError as error:
        raise UserError(f"{error}\nits log is {log(instance)}") from error
