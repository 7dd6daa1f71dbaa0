"""The Jobs on the database: one brings it to the server's release before any server of it starts, one tidies up after.

Owns their steps, one after the other: the bucket, which may let the server in late; the account, the tables of
experiments, the tables of users; then, once no pod of before serves, the accounts of before and what keys of before
encrypted. Each does nothing the second time. Leaves to `pod` what the steps read, and what they run to the image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import ContainerArgsDict, ResourceRequirementsArgsDict

from components.kubernetes.pod import PodSources, from_secret, pod_spec, variables
from components.kubernetes.secret import PASSWORD_KEY

if TYPE_CHECKING:
    from pulumi_kubernetes.batch.v1 import JobSpecArgsDict, PodFailurePolicyOnExitCodesRequirementArgsDict

# Enough to import MLflow; little CPU is reserved, so that it fits beside the server it makes way for.
_RESOURCES: ResourceRequirementsArgsDict = {
    "requests": {"cpu": "100m", "memory": "512Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}
_MINUTES = 40  # to build an index on a table of many millions of rows, and for a node to come up before
_GRANT_MINUTES = 10  # for a grant to count, which takes Google 7 or more
_PATIENCE_MINUTES = 20  # for who reads the tables for long, an export for instance; the rest is for the migration
# Else an update after one in which the Job failed would go on waiting for it, and never run it again.
_AGAIN = {"pulumi.com/replaceUnready": "true"}
_LATER_SECONDS = 30  # by which a session may outlive its pod


@dataclass(frozen=True, kw_only=True)
class DatabaseJobArgs:
    """What a Job on the database needs."""

    namespace: pulumi.Input[str]
    """Namespace of the Job."""
    app: str
    """Name of the server, which the Job's pods are labelled after."""
    image: str
    """Image of the server, with tag or digest."""
    sources: PodSources
    """Where the pods find what they are told."""
    annotations: Mapping[str, pulumi.Input[str]]
    """Annotations of the pods; a change of one is a new Job."""


def migration(name: str, args: DatabaseJobArgs, opts: pulumi.ResourceOptions) -> kubernetes.batch.v1.Job:
    """Return the Job that makes what the server's release expects of its database."""
    steps = [_step(args, "bucket", "mlflow-bucket", "--patience", str(_GRANT_MINUTES * 60))]
    if args.sources.administrator_name is not None:
        steps.append(_account(args, args.sources.administrator_name, "prepare"))
    steps.append(_step(args, "migration", "mlflow-migrate", "--patience", str(_PATIENCE_MINUTES * 60)))
    if args.sources.authentication is not None:
        steps.append(_step(args, "users", "mlflow-auth-prepare"))
    return _job(f"{name}-migration", args, steps, opts, not_again="bucket")


def retirement(
    name: str, args: DatabaseJobArgs, grace_seconds: int, opts: pulumi.ResourceOptions
) -> kubernetes.batch.v1.Job:
    """Return the Job that takes the login from accounts of earlier passwords, and frees secrets of earlier keys.

    It waits for pods that were asked to stop, for as long as they may live.
    """
    wait = ("--wait", str(grace_seconds + _LATER_SECONDS))
    steps = [_step(args, "encryption", "mlflow-encryption", *wait)]
    if args.sources.administrator_name is not None:
        steps.insert(0, _account(args, args.sources.administrator_name, "retire", *wait))
    return _job(f"{name}-retirement", args, steps, opts)


def _job(
    name: str,
    args: DatabaseJobArgs,
    steps: list[ContainerArgsDict],
    opts: pulumi.ResourceOptions,
    not_again: str | None = None,
) -> kubernetes.batch.v1.Job:
    """Return a Job of steps, in another pod where one fails; not where the step `not_again` does, which waited long."""
    *first, last = steps
    # GKE Autopilot sets them as it likes, and a Job cannot be changed: each update would run it again. Memory, of which
    # request and limit are the same, it leaves alone.
    cpu = [
        f"spec.template.spec.{containers}[*].resources.{kind}.cpu"
        for containers in (("initContainers", "containers") if first else ("containers",))
        for kind in ("requests", "limits")
    ]
    minutes = pulumi.CustomTimeouts(create=f"{_MINUTES + 1}m")
    spec: JobSpecArgsDict = {
        "backoff_limit": 3,
        "active_deadline_seconds": _MINUTES * 60,
        "template": {
            "metadata": {"labels": {"app": f"{args.app}-migration"}, "annotations": args.annotations},
            "spec": {**pod_spec(args.sources, last, init_containers=first), "restart_policy": "Never"},
        },
    }
    if not_again is not None:
        on_exit: PodFailurePolicyOnExitCodesRequirementArgsDict = {
            "container_name": not_again,
            "operator": "In",
            "values": [1],
        }
        spec["pod_failure_policy"] = {"rules": [{"action": "FailJob", "on_exit_codes": on_exit}]}
    return kubernetes.batch.v1.Job(
        name,
        # Without a name of its own: a Job cannot be changed, so each new one runs beside the last.
        metadata={"namespace": args.namespace, "annotations": _AGAIN},
        spec=spec,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=minutes, ignore_changes=cpu)),
    )


def _step(args: DatabaseJobArgs, name: str, *command: str) -> ContainerArgsDict:
    return {"name": name, "image": args.image, "command": list(command), "resources": _RESOURCES}


def _account(args: DatabaseJobArgs, administrator: pulumi.Input[str], *action: str) -> ContainerArgsDict:
    """Return a step that acts as the instance's administrator; DB_USERNAME and DB_PASSWORD stay the account's."""
    return {
        **_step(args, "account", "mlflow-database-account", *action),
        "env": [*variables({"PGUSER": "postgres"}), from_secret("PGPASSWORD", administrator, PASSWORD_KEY)],
    }
