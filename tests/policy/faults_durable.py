"""Faults in a durable stack: the rule, the resource, what is wrong with it and what is said."""

from typing import Any

from pulumi_policy import StackValidationPolicy

from policy import durable, durable_workloads
from tests.policy.resources import Faults

Row = tuple[StackValidationPolicy, str, Faults, str]

IP = "settings.ipConfiguration"
DELETE: dict[str, Any] = {"type": "Delete"}
OTHERS: dict[str, Any] = {"key": "app", "operator": "In", "values": ["others"]}
ALL: dict[str, Any] = {}
"""The selector that finds everything, and the rule without a limit."""
EVERYBODY = "spec.ingress[0] lets in everybody"
IMAGE = "spec.template.spec.containers.0.image"


ROWS: list[Row] = [
    (durable.durable_databases_have_a_private_address_only, "database", {f"{IP}.ipv4Enabled": True}, "is true"),
    (durable.durable_databases_have_a_private_address_only, "database", {f"{IP}.ipv4Enabled": None}, "is not set"),
    (durable.durable_databases_have_a_private_address_only, "database", {f"{IP}.privateNetwork": None}, "VPC"),
    (
        durable.durable_databases_have_a_private_address_only,
        "database",
        {f"{IP}.privateNetwork": None, f"{IP}.pscConfigs": [{"pscEnabled": False}]},
        "privateNetwork is not set",
    ),
    (durable.durable_databases_are_kept_from_deletion, "database", {"deletionProtection": False}, "is false"),
    (
        durable.durable_databases_are_kept_from_deletion,
        "database",
        {"settings.deletionProtectionEnabled": None},
        "settings.deletionProtectionEnabled is not set",
    ),
    (durable.durable_databases_are_regional, "database", {"settings.availabilityType": "ZONAL"}, "is ZONAL"),
    (durable.durable_databases_are_backed_up, "database", {"settings.backupConfiguration": None}, "enabled is not set"),
    (
        durable.durable_databases_are_backed_up,
        "database",
        {"settings.backupConfiguration.pointInTimeRecoveryEnabled": False},
        "pointInTimeRecoveryEnabled is false",
    ),
    (durable.durable_databases_are_backed_up, "database", {"databaseVersion": "MYSQL_8_0"}, "binaryLogEnabled is not"),
    (durable.durable_backups_outlive_their_instance, "database", {"settings.retainBackupsOnDelete": None}, "retain"),
    (durable.durable_backups_outlive_their_instance, "database", {"settings.finalBackupConfig": None}, "final"),
    (durable.durable_buckets_keep_what_is_overwritten, "bucket", {"versioning": None}, "versioning.enabled"),
    (durable.durable_buckets_keep_what_is_overwritten, "bucket", {"softDeletePolicy": None}, "is not set"),
    (
        durable.durable_buckets_keep_what_is_overwritten,
        "bucket",
        {"softDeletePolicy.retentionDurationSeconds": 0.0},
        "is 0: set it to 604800 or more",
    ),
    (
        durable.durable_buckets_keep_what_is_overwritten,
        "bucket",
        {"softDeletePolicy.retentionDurationSeconds": "86400"},
        "is 86400: set it to 604800 or more",
    ),
    (durable.durable_buckets_lose_no_live_object, "bucket", {"forceDestroy": True}, "forceDestroy is true"),
    (
        durable.durable_buckets_lose_no_live_object,
        "bucket",
        {"lifecycleRules": [{"action": DELETE, "condition": {"age": 30.0}}]},
        "lifecycleRules[0] deletes live objects",
    ),
    (
        durable.durable_buckets_lose_no_live_object,
        "bucket",
        {"lifecycleRules": [{"action": DELETE, "condition": {"age": 30.0, "withState": "ANY"}}]},
        "lifecycleRules[0] deletes live objects",
    ),
    (durable_workloads.durable_servers_are_two_or_more, "server", {"spec.replicas": 1.0}, "spec.replicas is 1"),
    (durable_workloads.durable_servers_are_two_or_more, "server", {"spec.replicas": "1"}, "spec.replicas is 1"),
    (durable_workloads.durable_servers_are_two_or_more, "server", {"spec.replicas": "many"}, "spec.replicas is many"),
    (durable_workloads.durable_servers_are_two_or_more, "server", {"spec.replicas": None}, "is not set"),
    (durable_workloads.durable_servers_are_two_or_more, "store", {"spec.replicas": 1.0}, "StatefulSet store"),
    *(
        (durable_workloads.durable_servers_have_a_disruption_budget, "budget", {"spec": spec}, said)
        for spec, said in (
            ({"maxUnavailable": 1.0}, "no PodDisruptionBudget"),
            ({"maxUnavailable": "100%", "selector": ALL}, "spec.maxUnavailable is 100%"),
            ({"maxUnavailable": "60%", "selector": ALL}, "spec.maxUnavailable is 60%"),
            ({"maxUnavailable": "99%", "selector": ALL}, "spec.maxUnavailable is 99%"),
            ({"maxUnavailable": 2.0, "selector": ALL}, "spec.maxUnavailable is 2,"),
            ({"minAvailable": 0.0, "selector": ALL}, "spec.minAvailable is 0,"),
            ({"selector": {"matchExpressions": [OTHERS]}}, "no PodDisruptionBudget"),
        )
    ),
    *(
        (durable_workloads.durable_servers_have_a_network_policy, "network", {"spec": spec}, said)
        for spec, said in (
            ({"podSelector": {"matchExpressions": [OTHERS]}}, "no NetworkPolicy"),
            ({"podSelector": ALL, "policyTypes": ["Egress"]}, "no NetworkPolicy"),
        )
    ),
    *(
        (durable_workloads.durable_servers_have_a_network_policy, "network", {"spec.ingress": [rule]}, EVERYBODY)
        for rule in (
            *(ALL, {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, {"from": [{"namespaceSelector": ALL}]}),
            {"from": [{"podSelector": {"matchLabels": {"app": "proxy"}}}, {"ipBlock": {"cidr": "::/0"}}]},
            *({"ports": [{"protocol": "TCP"}]}, {"ports": [{"port": 5000.0}, {"protocol": "TCP"}]}),
        )
    ),
    (
        durable_workloads.durable_servers_have_a_disruption_budget,
        "budget",
        {"spec.selector.matchLabels": {"app": "others"}},
        "no PodDisruptionBudget",
    ),
    (
        durable_workloads.durable_servers_have_a_disruption_budget,
        "budget",
        {"metadata.namespace": "others"},
        "no PodDisruptionBudget",
    ),
    (
        durable_workloads.durable_servers_have_a_network_policy,
        "network",
        {"spec.podSelector": {"matchLabels": {"app": "others"}}},
        "no NetworkPolicy",
    ),
    (durable_workloads.durable_images_have_a_digest, "server", {IMAGE: "server:3.17.2"}, "server:3.17.2"),
    (durable_workloads.durable_images_have_a_digest, "server", {IMAGE: None}, "has the image not set"),
    (durable_workloads.durable_images_have_a_digest, "job", {IMAGE: "server:3.17.2"}, "container server"),
]
PASSING: list[tuple[StackValidationPolicy, str, Faults]] = [
    (
        durable.durable_databases_have_a_private_address_only,
        "database",
        {f"{IP}.privateNetwork": None, f"{IP}.pscConfigs": [{"pscEnabled": True}]},
    ),
    (
        durable.durable_databases_are_backed_up,
        "database",
        {
            "databaseVersion": "MYSQL_8_0",
            "settings.backupConfiguration": {"enabled": True, "binaryLogEnabled": True},
        },
    ),
    (
        durable.durable_buckets_keep_what_is_overwritten,
        "bucket",
        {"softDeletePolicy.retentionDurationSeconds": "604800"},
    ),
    (durable_workloads.durable_servers_are_two_or_more, "server", {"spec.replicas": "2"}),
    *(
        (durable_workloads.durable_servers_have_a_disruption_budget, "budget", {"spec": {**spec, "selector": ALL}})
        for spec in ({"maxUnavailable": "50%"}, {"minAvailable": "1%"}, {"minAvailable": 1.0})
    ),
    *(
        (durable_workloads.durable_servers_have_a_network_policy, "network", {"spec.ingress": [rule]})
        for rule in (
            {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 5000.0}]},
            {"from": [{"namespaceSelector": ALL, "podSelector": {"matchLabels": {"app": "proxy"}}}]},
            {"from": [{"podSelector": ALL}]},
        )
    ),
]
"""What looks like a fault and is none."""
