"""A tracking server to look at: the values of the `dev` stack, and changes of them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pulumi

from components.database import Database
from components.kubernetes import HostAddress, NodeAddress, TrackingServer, TrackingServerArgs
from tests.unit.engine import Deployment, Registration, deploy

PASSWORD = "p@ss[word"  # noqa: S105 - nobody's
ROOT_PASSWORD = "r@@t[word"  # noqa: S105 - nobody's
CA = "-----BEGIN CERTIFICATE-----"
DATABASE = Database(
    host="203.0.113.10",
    name="postgres",
    user="postgres",
    password=PASSWORD,
    server_ca=CA,
    administrator_password=None,
)
OWN_ACCOUNT = replace(DATABASE, name="mlflow", user="mlflow-1", administrator_password=ROOT_PASSWORD)
"""A database with an account of the server's own."""
ARGS = TrackingServerArgs(
    owner="my-project.prod",
    artifact_root="gs://my-artefacts",
    database=DATABASE,
    google_account=None,
    cloud_key="a2V5",
    storage_endpoint=None,
    image="mlflow-tracking-server:3.17.2",
    artifact_access="proxied",
    replicas=1,
    max_replicas=0,
    workers=1,
    resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
    address=NodeAddress(host="192.168.49.2", port=30001),
    encryption_generation=1,
    users=False,
    metrics=False,
    deleted_run_retention=None,
)
HOST_ADDRESS = HostAddress(host="mlflow.example.com", ingress_class="nginx", certificate=None, key=None)
EVERYTHING = replace(
    ARGS,
    database=OWN_ACCOUNT,
    replicas=2,
    max_replicas=4,
    address=replace(HOST_ADDRESS, ingress_class="gce-internal", certificate=CA, key="private"),
    users=True,
    metrics=True,
    deleted_run_retention="30d",
)


def server(args: TrackingServerArgs = ARGS, *, preview: bool = False) -> Deployment:
    """Return what a tracking server registers."""

    def program() -> Mapping[str, pulumi.Output[Any] | None]:
        made = TrackingServer("mlflow", args)
        return {
            "tracking_uri": made.tracking_uri,
            "namespace": made.namespace,
            "admin_password": made.admin_password,
        }

    return deploy(program, preview=preview)


@cache
def everything() -> Deployment:
    """Return what a server registers for which every resource is made that there is."""
    return server(EVERYTHING)


def changed(**changes: Any) -> Deployment:  # noqa: ANN401 - whatever the arguments take
    """Return what a tracking server with other arguments registers."""
    return server(replace(ARGS, **changes))


def templates(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the template of every pod that the server and its jobs make, by the name that Pulumi has for them."""
    kinds = {"Deployment": ("template",), "Job": ("template",), "CronJob": ("jobTemplate", "spec", "template")}
    found: dict[str, dict[str, Any]] = {}
    for kind, path in kinds.items():
        for resource in deployment.all(kind):
            template = resource.inputs["spec"]
            for key in path:
                template = template[key]
            found[resource.name] = template
    return found


def pod(deployment: Deployment) -> dict[str, Any]:
    """Return the specification of the server's pods."""
    return deployment.only("Deployment").inputs["spec"]["template"]["spec"]


def job(deployment: Deployment, suffix: str) -> Registration:
    """Return the Job whose name to Pulumi ends so."""
    (found,) = [resource for resource in deployment.all("Job") if resource.name.endswith(f"-{suffix}")]
    return found


def steps(resource: Registration) -> list[dict[str, Any]]:
    """Return the containers of a Job in the order in which they run."""
    spec = resource.inputs["spec"]["template"]["spec"]
    return [*spec["initContainers"], *spec["containers"]]


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all containers of a pod."""
    return [*spec["initContainers"], *spec["containers"]]


def container(deployment: Deployment) -> dict[str, Any]:
    """Return the server's container."""
    return pod(deployment)["containers"][0]


def variables(of: dict[str, Any]) -> dict[str, Any]:
    """Return the environment of a container: values, or where they come from."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in of.get("env", [])}


def environment(deployment: Deployment) -> dict[str, Any]:
    """Return the environment of the server."""
    return variables(container(deployment))


def option(deployment: Deployment, name: str) -> str:
    """Return what an option of the server's command line is given."""
    command = container(deployment)["command"]
    return command[command.index(name) + 1]


def unknown() -> pulumi.Output[str]:
    """Return an output whose value only an update would tell."""
    never: Any = pulumi.Output.from_input("").apply(lambda _: pulumi.UNKNOWN)
    return never
