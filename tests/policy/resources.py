"""A durable stack without a fault, and the means to put one in."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4
POD_LABELS = {"app": "server-pods"}
POD: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [
        {
            "name": "server",
            "image": f"registry.example/server@{DIGEST}",
            "ports": [{"containerPort": 5000}],
            "env": [
                {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "password"}}},
                {"name": "PGPASSWORD", "value": "$(DB_PASSWORD)"},
                {"name": "PGHOST", "value": "10.0.0.3"},
            ],
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            "readinessProbe": {"httpGet": {"path": "/version", "port": 5000}},
            "livenessProbe": {"httpGet": {"path": "/health", "port": 5000}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
}
STACK: dict[str, tuple[str, dict[str, Any]]] = {
    "database": (
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "name": "a-database",
            "deletionProtection": True,
            "rootPassword": "shown to validations in the clear",
            "settings": {
                "deletionProtectionEnabled": True,
                "availabilityType": "REGIONAL",
                "retainBackupsOnDelete": True,
                "finalBackupConfig": {"enabled": True},
                "backupConfiguration": {"enabled": True, "pointInTimeRecoveryEnabled": True},
                "ipConfiguration": {
                    "ipv4Enabled": False,
                    "privateNetwork": "projects/a-project/global/networks/a-network",
                    "sslMode": "ENCRYPTED_ONLY",
                    "authorizedNetworks": [{"name": "office", "value": "192.0.2.7/32"}],
                },
            },
        },
    ),
    "contents": ("gcp:sql/database:Database", {"name": "mlflow", "instance": "a-database"}),
    "bucket": (
        "gcp:storage/bucket:Bucket",
        {
            "name": "a-bucket",
            "uniformBucketLevelAccess": True,
            "publicAccessPrevention": "enforced",
            "forceDestroy": False,
            "versioning": {"enabled": True},
            "softDeletePolicy": {"retentionDurationSeconds": 604800.0},
            "lifecycleRules": [
                {"action": {"type": "Delete"}, "condition": {"withState": "ARCHIVED", "daysSinceNoncurrentTime": 30.0}},
                {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7.0}},
            ],
        },
    ),
    "grant": (
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        {"bucket": "a-bucket", "role": "roles/storage.objectUser", "member": "serviceAccount:a@b.example"},
    ),
    "lend": (
        "gcp:serviceaccount/iAMMember:IAMMember",
        {
            "serviceAccountId": "projects/a-project/serviceAccounts/a@b.example",
            "role": "roles/iam.workloadIdentityUser",
            "member": "serviceAccount:a-project.svc.id.goog[mlflow/server]",
        },
    ),
    "namespace": (
        "kubernetes:core/v1:Namespace",
        {"metadata": {"name": "mlflow", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
    ),
    "server": (
        "kubernetes:apps/v1:Deployment",
        {
            "metadata": {"name": "server", "namespace": "mlflow"},
            "spec": {"replicas": 2.0, "template": {"metadata": {"labels": POD_LABELS}, "spec": POD}},
        },
    ),
    "job": (
        "kubernetes:batch/v1:Job",
        {"metadata": {"name": "job", "namespace": "mlflow"}, "spec": {"template": {"spec": POD}}},
    ),
    "nightly": (
        "kubernetes:batch/v1:CronJob",
        {
            "metadata": {"name": "nightly", "namespace": "mlflow"},
            "spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}},
        },
    ),
    "service": (
        "kubernetes:core/v1:Service",
        {"metadata": {"name": "server", "namespace": "mlflow"}, "spec": {"type": "ClusterIP"}},
    ),
    "ingress": (
        "kubernetes:networking.k8s.io/v1:Ingress",
        {
            "metadata": {"name": "server", "namespace": "mlflow"},
            "spec": {
                "tls": [{"hosts": ["mlflow.example"], "secretName": "tls"}],
                "rules": [{"host": "mlflow.example"}],
            },
        },
    ),
    "budget": (
        "kubernetes:policy/v1:PodDisruptionBudget",
        {"metadata": {"name": "server", "namespace": "mlflow"}, "spec": {"selector": {"matchLabels": POD_LABELS}}},
    ),
    "network": (
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        {"metadata": {"name": "server", "namespace": "mlflow"}, "spec": {"podSelector": {}}},
    ),
}
PROTECTED = ("database", "contents", "bucket")

Faults = Mapping[str, Any]
"""Values by dotted path; None takes away what is there."""


def with_faults(props: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """Return a copy of properties with faults put in."""
    changed = copy.deepcopy(dict(props))
    for path, value in faults.items():
        *folders, last = path.split(".")
        place: Any = changed
        for folder in folders:
            place = place[int(folder)] if folder.isdigit() else place.setdefault(folder, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return changed


def urn(type_: str, name: str) -> str:
    """Return how Pulumi's state names a resource."""
    return f"urn:pulumi:test::mlflow::{type_}::{name}"


def _options(*, protect: bool) -> PolicyResourceOptions:
    return PolicyResourceOptions(protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def arguments(type_: str, name: str, props: Mapping[str, Any]) -> ResourceValidationArgs:
    """Return what the engine tells a policy of a resource."""
    return ResourceValidationArgs(type_, props, urn(type_, name), name, _options(protect=False), None)


def violations(policy: ResourceValidationPolicy, type_: str, props: Mapping[str, Any], name: str = "one") -> list[str]:
    """Return what a policy says about a resource."""
    said: list[str] = []
    policy.validate(arguments(type_, name, props), lambda message, _=None: said.append(message))
    return said


def stack_violations(policy: StackValidationPolicy, stack: Sequence[PolicyResource]) -> list[str]:
    """Return what a policy says about a stack."""
    said: list[str] = []
    policy.validate(StackValidationArgs(list(stack)), lambda message, _=None: said.append(message))
    return said


def in_stack(name: str, props: Mapping[str, Any], *, protect: bool, type_: str | None = None) -> PolicyResource:
    """Return a resource as the engine tells a policy of it at the end."""
    type_ = type_ or STACK[name][0]
    # A name of its own: by name, rules remember what the tests of single resources were told.
    options = _options(protect=protect)
    return PolicyResource(type_, cast("Any", props), urn(type_, f"{name}-in-stack"), name, options, None, None, [], {})
