"""Runs the Pulumi engine on the `local` stack of an instance: environment, configuration, update, destruction."""

import json
import os
import subprocess

from local.command import output
from local.engine.environment import engine_environment
from local.errors import UserError
from local.gcp import endpoints
from local.instance import Instance
from local.minikube import cluster
from local.process import start_time
from local.progress import say
from local.virtualenv import PROJECT

STACK = "local"
NO_PROXY = ("NO_PROXY", "no_proxy")
"""Where people name the hosts that no proxy is asked for; some programs read the one, some the other."""


def environment(instance: Instance) -> dict[str, str]:
    """Return the variables with which `pulumi`, Docker's, Kubernetes' and Google's clients act on the instance."""
    variables = engine_environment(instance.state / "pulumi")
    return {
        **variables,
        **dict.fromkeys(NO_PROXY, _unproxied(instance)),
        **cluster.environment(instance, variables.get("PATH")),
        "STORAGE_EMULATOR_HOST": instance.gcp_endpoint,
    }


def _unproxied(instance: Instance) -> str:
    """Return the hosts that no proxy is asked for: those that people name, this machine and the instance."""
    given = ",".join(os.environ.get(name, "") for name in NO_PROXY).split(",")
    ours = ["localhost", "127.0.0.1", instance.host_address, instance.node_address]
    return ",".join(dict.fromkeys([*filter(None, given), *ours]))


def up(instance: Instance, image: str) -> str:
    """Bring the stack up and return its tracking URI.

    Args:
        instance: its stand-in and its node run.
        image: the tracking server's image, known to the node.

    Raises:
        UserError: the update failed; the engine's own words stand above it.

    """
    variables = environment(instance)
    output(["pulumi", "stack", "select", "--create", STACK], cwd=PROJECT, env=variables)
    _release(instance, variables)
    _configure(settings(instance, image), variables)
    _interactive(["pulumi", "up", "--yes", "--skip-preview", "--stack", STACK], variables)
    outputs = json.loads(output(["pulumi", "stack", "output", "--json", "--stack", STACK], cwd=PROJECT, env=variables))
    return str(outputs["tracking_uri"])


def destroy(instance: Instance) -> None:
    """Destroy every resource of the stack, if there is one.

    Raises:
        UserError: the engine could not; its own words stand above it.

    """
    variables = environment(instance)
    stacks = json.loads(output(["pulumi", "stack", "ls", "--json"], cwd=PROJECT, env=variables))
    if STACK not in {found["name"] for found in stacks}:
        return
    _release(instance, variables)
    _interactive(["pulumi", "destroy", "--yes", "--skip-preview", "--stack", STACK], variables)


def _release(instance: Instance, variables: dict[str, str]) -> None:
    """Release the stack from the lock of an engine that was killed."""
    locks = list((instance.state / "pulumi" / ".pulumi" / "locks").rglob("*.json"))
    if locks and not any(start_time(json.loads(lock.read_text())["pid"]) for lock in locks):
        say("stack: an earlier update was killed; releasing its lock")
        output(["pulumi", "cancel", "--yes", "--stack", STACK], cwd=PROJECT, env=variables)


def settings(instance: Instance, image: str) -> dict[str, str]:
    """Return the settings of Pulumi.local.yaml that follow from the instance, by their configuration paths."""
    derived = {
        "kubernetes:context": instance.profile,
        # What kubeadm's pods reserve leaves less than two CPUs of two, and a rollout needs room for two pods.
        "mlflow:cpuRequest": "250m",
        "mlflow:authorizedNetworks[0]": instance.subnet,
        "mlflow:image": image,
        "mlflow:nodeAddress": instance.node_address,
    }
    return derived | {f"gcp:{key}": url for key, url in endpoints(instance.gcp_endpoint).items()}


def _configure(wanted: dict[str, str], variables: dict[str, str]) -> None:
    """Write the settings that differ into the stack's file; with the default instance none does."""
    found = json.loads(output(["pulumi", "config", "--json", "--stack", STACK], cwd=PROJECT, env=variables))
    current: dict[str, str] = {}
    for key, entry in found.items():
        current[key] = entry["value"]
        for position, value in enumerate(json.loads(entry["value"]) if "objectValue" in entry else []):
            current[f"{key}[{position}]"] = value
    changes = {key: value for key, value in wanted.items() if current.get(key) != value}
    if not changes:
        return
    say(f"stack: setting {', '.join(sorted(changes))} in Pulumi.{STACK}.yaml")
    words = [word for key, value in changes.items() for word in ("--plaintext", f"{key}={value}")]
    output(["pulumi", "config", "set-all", "--path", "--stack", STACK, *words], cwd=PROJECT, env=variables)


def _interactive(argv: list[str], variables: dict[str, str]) -> None:
    """Run a command whose output people follow."""
    done = subprocess.run(argv, check=False, cwd=PROJECT, env={**os.environ, **variables})
    if done.returncode != 0:
        raise UserError(f"`{' '.join(argv)}` ended with status {done.returncode}; its own words stand above")
