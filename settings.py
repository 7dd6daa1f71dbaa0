"""The settings of a stack: the only reader of pulumi.Config.

Owns which settings there are, which rule each follows and how all problems of a run are told at once, before any
resource is touched. Leaves types, defaults and descriptions to the schema in Pulumi.yaml, and the rules to `rules`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from rules import did_you_mean, google, kubernetes, server

_ENDPOINTS = ("gcp:sqlCustomEndpoint", "gcp:storageCustomEndpoint", "gcp:iamCustomEndpoint")
KNOWN = {
    *("gcp:project", "gcp:accessToken", "kubernetes:context", *_ENDPOINTS),
    *("mlflow:region", "mlflow:databaseInstance", "mlflow:databaseVersion", "mlflow:databaseTier"),
    *("mlflow:authorizedNetworks", "mlflow:bucketName", "mlflow:artifactAccess", "mlflow:image"),
    *("mlflow:replicas", "mlflow:workers", "mlflow:cpuRequest", "mlflow:cpuLimit", "mlflow:memoryRequest"),
    *("mlflow:memoryLimit", "mlflow:nodeAddress", "mlflow:nodePort", "mlflow:storageEmulatorHost"),
}
"""Every setting that is read, by its full key."""
_Access = Literal["proxied", "direct"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack is made of; every value has passed its rule."""

    project: str
    access_token: pulumi.Output[str] | None
    """Token in place of Google's application default credentials, for a stand-in; secret."""
    sql_endpoint: str | None
    storage_endpoint: str | None
    iam_endpoint: str | None
    context: str
    region: str
    database_instance: str
    database_version: str
    database_tier: str
    authorized_networks: Sequence[str]
    bucket_name: str
    artifact_access: _Access
    image: str
    replicas: int
    workers: int
    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str
    node_address: str
    node_port: int
    storage_emulator: str | None

    @staticmethod
    def load() -> "Settings":
        """Return the settings of the current stack.

        Raises pulumi.RunError naming every setting that is wrong, its value and the remedy.
        """
        read = _Reader()
        read.refuse_unknown()
        project = read.text("gcp:project", google.project)
        settings = Settings(
            project=project,
            access_token=pulumi.Config("gcp").get_secret("accessToken"),
            sql_endpoint=read.optional("gcp:sqlCustomEndpoint", server.url),
            storage_endpoint=read.optional("gcp:storageCustomEndpoint", server.url),
            iam_endpoint=read.optional("gcp:iamCustomEndpoint", server.url),
            context=read.text("kubernetes:context", server.not_empty(_CONTEXT_REMEDY)),
            region=read.text("mlflow:region", google.region),
            database_instance=read.text("mlflow:databaseInstance", google.database_instance),
            database_version=read.text("mlflow:databaseVersion", google.database_version),
            database_tier=read.text("mlflow:databaseTier", google.database_tier),
            authorized_networks=read.texts("mlflow:authorizedNetworks", google.authorized_networks),
            bucket_name=read.optional("mlflow:bucketName", google.bucket_name) or f"{project}-mlflow-artefacts",
            artifact_access=cast("_Access", read.text("mlflow:artifactAccess", server.one_of(get_args(_Access)))),
            image=read.text("mlflow:image", kubernetes.image),
            replicas=read.integer("mlflow:replicas", server.at_least_one),
            workers=read.integer("mlflow:workers", server.at_least_one),
            cpu_request=read.text("mlflow:cpuRequest", kubernetes.cpu),
            cpu_limit=read.text("mlflow:cpuLimit", kubernetes.cpu),
            memory_request=read.text("mlflow:memoryRequest", kubernetes.memory),
            memory_limit=read.text("mlflow:memoryLimit", kubernetes.memory),
            node_address=read.text("mlflow:nodeAddress", kubernetes.node_address),
            node_port=read.integer("mlflow:nodePort", kubernetes.node_port),
            storage_emulator=read.optional("mlflow:storageEmulatorHost", server.url),
        )
        read.compare(settings)
        read.report()
        return settings


_CONTEXT_REMEDY = (
    "no cluster is named; type `pulumi config set kubernetes:context <name>`, `kubectl config get-contexts` lists them"
)


class _Reader:
    """Reads settings and gathers what is wrong with them, so that one run tells all of it."""

    def __init__(self) -> None:
        self._problems: list[str] = []
        self._wrong: set[str] = set()

    def text(self, key: str, rule: Callable[[str], str | None]) -> str:
        """Return the setting as it stands, the empty string where there is none."""
        value = _raw(key)
        self._hold(key, value, rule(value))
        return value

    def optional(self, key: str, rule: Callable[[str], str | None]) -> str | None:
        """Return the setting, None where it is empty or not there."""
        return self.text(key, rule) if _raw(key) else None

    def integer(self, key: str, rule: Callable[[int], str | None]) -> int:
        """Return the setting as a whole number, 0 where it is none."""
        value = _raw(key)
        try:
            number = int(value)
        except ValueError:
            self._hold(key, value, "write a whole number")
            return 0
        self._hold(key, value, rule(number))
        return number

    def texts(self, key: str, rule: Callable[[Sequence[str]], str | None]) -> Sequence[str]:
        """Return the setting as a list of strings, the empty list where it is none."""
        value = _raw(key)
        try:
            items: Any = json.loads(value or "[]")
        except ValueError:
            items = None
        if not isinstance(items, list) or not all(isinstance(item, str) for item in cast("list[Any]", items)):
            self._hold(key, value, f"write a list, item by item: `pulumi config set --path '{key}[0]' <value>`")
            return []
        strings = cast("list[str]", items)
        self._hold(key, value, rule(strings))
        return strings

    def refuse_unknown(self) -> None:
        """Note every setting that nothing reads: most are typing errors."""
        for key in sorted(CONFIG.get()):
            if key not in KNOWN and not key.startswith("pulumi:"):
                self._hold(
                    key,
                    _raw(key),
                    f"there is no such setting{did_you_mean(key, KNOWN)}; type `pulumi config rm {key}` to remove it",
                )

    def compare(self, settings: Settings) -> None:
        """Note what is wrong with settings only beside one another, where each alone is right."""
        if "gcp:project" not in self._wrong and "mlflow:bucketName" not in self._wrong:
            self._hold("mlflow:bucketName", settings.bucket_name, google.bucket_name(settings.bucket_name))
        self._request_within_limit("cpu", settings.cpu_request, settings.cpu_limit)
        self._request_within_limit("memory", settings.memory_request, settings.memory_limit)
        limit = kubernetes.parse_quantity(settings.memory_limit)
        if limit is not None and not self._wrong & {"mlflow:memoryLimit", "mlflow:workers"}:
            problem = server.memory_for_workers(limit, settings.workers)
            self._hold("mlflow:memoryLimit", settings.memory_limit, problem)

    def _request_within_limit(self, resource: str, request: str, limit: str) -> None:
        keys = (f"mlflow:{resource}Request", f"mlflow:{resource}Limit")
        wanted, most = kubernetes.parse_quantity(request), kubernetes.parse_quantity(limit)
        if wanted is not None and most is not None and not self._wrong & set(keys) and wanted > most:
            self._hold(keys[0], request, f"it is above {keys[1]}, {limit}; lower the request or raise the limit")

    def _hold(self, key: str, value: str, problem: str | None) -> None:
        if problem is not None:
            self._wrong.add(key)
            found = f"'{value}'" if value else "not set"
            if is_config_secret(key):
                found = "[secret]"
            self._problems.append(f"{key} is {found}: {problem}")

    def report(self) -> None:
        """Raise pulumi.RunError with all problems; return where there are none."""
        if self._problems:
            raise pulumi.RunError(
                "\n  ".join(["the settings cannot be used, and nothing was touched:", *self._problems])
            )


def _raw(key: str) -> str:
    """Return a setting as text, without surrounding blanks; empty where it is not there."""
    namespace, name = key.split(":", 1)
    return (pulumi.Config(namespace).get(name) or "").strip()
