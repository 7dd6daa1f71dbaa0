"""A durable stack without a fault."""

from typing import Any

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
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
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
PATCHED: dict[str, Any] = {"volumes": [{"name": "tmp"}], "containers": [{"name": "server", "ports": [{}]}]}
"""Pods of a patch, which says no more than what it changes."""
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
        {
            "bucket": "a-bucket",
            "role": "roles/storage.objectUser",
            "member": "serviceAccount:a@b.example",
            "condition": {"title": "not roles/owner", "expression": "request.auth != 'allUsers'"},
        },
    ),
    "lend": (
        "gcp:serviceaccount/iAMMember:IAMMember",
        {
            "serviceAccountId": "projects/a-project/serviceAccounts/a@b.example",
            "role": "roles/iam.workloadIdentityUser",
            "member": "serviceAccount:a-project.svc.id.goog[mlflow/server]",
        },
    ),
    "firewall": (
        "gcp:compute/firewall:Firewall",
        {
            "name": "proxies",
            "description": "no allUsers here",
            "allows": [{"protocol": "tcp", "ports": ["5000"]}],
            "sourceRanges": ["10.0.0.0/8", "172.16.0.0/12", "35.191.0.0/16", "fd00::/8"],
        },
    ),
    "firewall-policy": (
        "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
        {"action": "allow", "direction": "INGRESS", "match": {"srcIpRanges": ["10.0.0.0/8", "35.191.0.0/16"]}},
    ),
    "cluster": (
        "gcp:container/cluster:Cluster",
        {"name": "a-cluster", "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "192.0.2.7/32"}]}},
    ),
    "metric": ("gcp:logging/metric:Metric", {"name": "opened", "filter": 'members="allUsers"'}),
    "namespace": (
        "kubernetes:core/v1:Namespace",
        {"metadata": {"name": "mlflow", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
    ),
    "system": (
        "kubernetes:core/v1:NamespacePatch",
        {"metadata": {"name": "kube-system", "annotations": {"team": "platform"}}},
    ),
    "release": ("kubernetes:helm.sh/v3:Release", {"name": "prometheus", "namespace": "monitoring"}),
    "server": (
        "kubernetes:apps/v1:Deployment",
        {
            "metadata": {"name": "server", "namespace": "mlflow"},
            "spec": {"replicas": 2.0, "template": {"metadata": {"labels": POD_LABELS}, "spec": POD}},
        },
    ),
    "store": (
        "kubernetes:apps/v1:StatefulSet",
        {
            "metadata": {"name": "store", "namespace": "mlflow"},
            "spec": {"replicas": 2.0, "template": {"metadata": {"labels": POD_LABELS}, "spec": POD}},
        },
    ),
    "controller": (
        "kubernetes:core/v1:ReplicationController",
        {"metadata": {"name": "controller", "namespace": "mlflow"}, "spec": {"template": {"spec": POD}}},
    ),
    "patch": (
        "kubernetes:apps/v1:DeploymentPatch",
        {"metadata": {"name": "coredns", "namespace": "kube-system"}, "spec": {"template": {"spec": PATCHED}}},
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
        {
            "metadata": {"name": "server", "namespace": "mlflow"},
            "spec": {"maxUnavailable": 1.0, "selector": {"matchLabels": POD_LABELS}},
        },
    ),
    "network": (
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        {
            "metadata": {"name": "server", "namespace": "mlflow"},
            "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 5000.0}]}]},
        },
    ),
    "role": (
        "kubernetes:rbac.authorization.k8s.io/v1:Role",
        {
            "metadata": {"name": "reader", "namespace": "mlflow"},
            "rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}],
        },
    ),
    "binding": (
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "metadata": {"name": "readers"},
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "server", "namespace": "mlflow"}],
        },
    ),
    "issuer": ("kubernetes:cert-manager.io/v1:ClusterIssuer", {"metadata": {"name": "issuer"}}),
}
PROTECTED = ("database", "contents", "bucket")
