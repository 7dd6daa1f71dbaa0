"""The pod that the server and its jobs share: environment, mounted files and what it may do.

Owns the path from ConfigMaps and Secrets into a container and the `restricted` security context. Leaves to others what
a container runs, how much of the machine it gets and when it counts as ready.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSpecArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.kubernetes import authentication
from components.kubernetes.config import CA_FILE
from components.kubernetes.encryption import Encryption
from components.kubernetes.secret import CLOUD_KEY_FILE, PASSWORD_KEY

_USER = 10001  # the image's account; above 10000, so that it is nobody on the node
_CA_FOLDER = "/etc/mlflow/database-ca"
_CLOUD_KEY_FOLDER = "/etc/mlflow/cloud-key"
_AUTHENTICATION_FOLDER = "/etc/mlflow/auth"


@dataclass(frozen=True, kw_only=True)
class PodSources:
    """Where a pod finds what it is told, and who it is."""

    namespace: pulumi.Input[str]
    """Namespace of the pod."""
    account_name: pulumi.Input[str]
    """ServiceAccount of the pod."""
    config_name: pulumi.Input[str]
    """ConfigMap with the four settings."""
    ca_name: pulumi.Input[str]
    """ConfigMap with the certificate authority of the database."""
    secret_name: pulumi.Input[str]
    """Secret with the password."""
    administrator_name: pulumi.Input[str] | None
    """Secret with the password of the database's administrator, who makes the account, if there is such an account."""
    encryption: Encryption
    """Keys by which secrets in the database are encrypted."""
    cloud_key_name: pulumi.Input[str] | None
    """Secret with a service account key, if there is one."""
    google_account: pulumi.Input[str] | None
    """Google service account that the pods are by Workload Identity, None without."""
    storage_endpoint: str | None
    """URL of Cloud Storage, where it is not Google's public one; without TLS it is a stand-in's."""
    authentication: authentication.Authentication | None
    """Where MLflow's own users are configured, if there are any."""


def pod_spec(
    sources: PodSources,
    *containers: ContainerArgsDict,
    init_containers: Sequence[ContainerArgsDict] = (),
    sidecars: Sequence[ContainerArgsDict] = (),
    shared: Sequence[VolumeArgsDict] = (),
) -> PodSpecArgsDict:
    """Return a pod around containers, which bring name, image, command and resources.

    They may bring variables and mounts of their own as well, of the volumes in `shared`; sidecars get nothing else.
    """
    mounts, volumes = _files(sources)
    return {
        "service_account_name": sources.account_name,
        # The server asks nothing of Kubernetes.
        "automount_service_account_token": False,
        # Variables named after Services, such as MLFLOW_PORT=tcp://..., would be read by MLflow as its own.
        "enable_service_links": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": _USER,
            "run_as_group": _USER,
            "fs_group": _USER,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "init_containers": [_informed(sources, each, mounts) for each in init_containers],
        "containers": [
            *(_informed(sources, each, mounts) for each in containers),
            *(_locked_down(each) for each in sidecars),
        ],
        "volumes": [*volumes, *shared],
    }


def variables(plain: Mapping[str, pulumi.Input[str]]) -> list[EnvVarArgsDict]:
    """Return variables with values that stand in the open."""
    return [{"name": name, "value": value} for name, value in plain.items()]


def from_secret(name: str, secret: pulumi.Input[str], key: str) -> EnvVarArgsDict:
    """Return a variable whose value stands in a Secret."""
    return {"name": name, "value_from": {"secret_key_ref": {"name": secret, "key": key}}}


def _informed(
    sources: PodSources, container: ContainerArgsDict, mounts: list[VolumeMountArgsDict]
) -> ContainerArgsDict:
    own: list[EnvVarArgsDict] = container.get("env", [])  # pyright: ignore[reportAssignmentType] - made in this package
    mounted: list[VolumeMountArgsDict] = container.get("volume_mounts", [])  # pyright: ignore[reportAssignmentType]
    replaced = {each["name"] for each in own}
    return {
        **_locked_down(container),
        # Server-side apply refuses a container that names a variable twice.
        "env": [*(each for each in _environment(sources) if each["name"] not in replaced), *own],
        "volume_mounts": [*mounts, *mounted],
    }


def _locked_down(container: ContainerArgsDict) -> ContainerArgsDict:
    return {
        **container,
        "image_pull_policy": "IfNotPresent",
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _environment(sources: PodSources) -> list[EnvVarArgsDict]:
    from_config: list[EnvVarArgsDict] = [
        {"name": key, "value_from": {"config_map_key_ref": {"name": sources.config_name, "key": key}}}
        for key in ("DEFAULT_ARTIFACT_ROOT", "DB_NAME", "DB_USERNAME", "DB_HOST")
    ]
    passwords = [from_secret(name, sources.secret_name, PASSWORD_KEY) for name in ("DB_PASSWORD", "PGPASSWORD")]
    plain: dict[str, str] = {
        "PGHOST": "$(DB_HOST)",
        "PGUSER": "$(DB_USERNAME)",
        "PGDATABASE": "$(DB_NAME)",
        # Cloud SQL's certificate names the instance and not its address: its signature is all there is to check.
        "PGSSLMODE": "verify-ca",
        "PGSSLROOTCERT": f"{_CA_FOLDER}/{CA_FILE}",
    }
    if sources.cloud_key_name is not None:
        plain["GOOGLE_APPLICATION_CREDENTIALS"] = f"{_CLOUD_KEY_FOLDER}/{CLOUD_KEY_FILE}"
    # The order counts: `$(DB_HOST)` is expanded from what stands before it.
    return [
        *from_config,
        *passwords,
        *variables(plain),
        *_of_storage(sources),
        *_of_encryption(sources.encryption),
        *_of_users(sources),
    ]


def _of_storage(sources: PodSources) -> list[EnvVarArgsDict]:
    """Return what Google's client reads where Cloud Storage is not at its public address."""
    if sources.storage_endpoint is None:
        return []
    endpoint = urlsplit(sources.storage_endpoint)
    own = variables({"API_ENDPOINT_OVERRIDE": f"{endpoint.scheme}://{endpoint.netloc}"})
    if endpoint.scheme == "https" or sources.google_account is None:
        return own
    # A stand-in's metadata server, unlike GKE's, is told who asks.
    metadata = pulumi.Output.concat(
        f"{endpoint.netloc}/workload/", sources.namespace, "/", sources.account_name, "/", sources.google_account
    )
    return [*own, *variables({"GCE_METADATA_HOST": metadata, "GCE_METADATA_IP": metadata})]


def _of_encryption(encryption: Encryption) -> list[EnvVarArgsDict]:
    """Return what MLflow encrypts and decrypts with."""
    return [from_secret(name, encryption.secret_name, name) for name in encryption.variables]


def _of_users(sources: PodSources) -> list[EnvVarArgsDict]:
    """Return what MLflow's own users need."""
    if sources.authentication is None:
        return []
    secret = sources.authentication.secret_name
    return [
        *variables({"MLFLOW_AUTH_CONFIG_PATH": f"{_AUTHENTICATION_FOLDER}/{authentication.CONFIG_FILE}"}),
        from_secret("MLFLOW_AUTH_ADMIN_PASSWORD", secret, authentication.PASSWORD_KEY),
        from_secret("MLFLOW_FLASK_SERVER_SECRET_KEY", secret, authentication.SIGNING_KEY),
    ]


def _files(sources: PodSources) -> tuple[list[VolumeMountArgsDict], list[VolumeArgsDict]]:
    """Return the mounts of a container and the volumes behind them."""
    mounts: list[VolumeMountArgsDict] = [
        {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 - an empty folder of the pod's own
        {"name": "database-ca", "mount_path": _CA_FOLDER, "read_only": True},
    ]
    volumes: list[VolumeArgsDict] = [
        {"name": "tmp", "empty_dir": {}},
        {"name": "database-ca", "config_map": {"name": sources.ca_name}},
    ]
    if sources.cloud_key_name is not None:
        mounts.append({"name": "cloud-key", "mount_path": _CLOUD_KEY_FOLDER, "read_only": True})
        volumes.append({"name": "cloud-key", "secret": {"secret_name": sources.cloud_key_name}})
    if sources.authentication is not None:
        mounts.append({"name": "auth", "mount_path": _AUTHENTICATION_FOLDER, "read_only": True})
        volumes.append({"name": "auth", "config_map": {"name": sources.authentication.config_name}})
    return mounts, volumes
