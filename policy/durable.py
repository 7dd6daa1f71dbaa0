"""What holds only where data must last: a private, protected, regional, backed-up database, buckets that keep all.

Whether it must is not asked of a setting, since a pack written in Python is shown none, but of the resources: a stack
may be thrown away only if all that stores data in it says so. Each instance has given up its protection at Pulumi and
at Google, each bucket is destroyed with what is in it, and Pulumi protects none of them. One that says otherwise makes
the stack durable, and the rules then find whatever was left open by mistake.
"""

from collections.abc import Iterator, Sequence

from policy.google import BUCKET, DATABASE
from policy.resource import UNKNOWN, Resource, as_number, at, differs, items, not_off, not_on, said
from policy.rule import stack_rule

_CONTENTS = "gcp:sql/database:Database"
_KEYS = ("gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey")
_SOFT_DELETE_DAYS = 7
_NONCURRENT = ("numNewerVersions", "daysSinceNoncurrentTime", "noncurrentTimeBefore")


def is_durable(stack: Sequence[Resource]) -> bool:
    """Tell whether the data of a stack must last."""
    stores = [one for one in stack if one.type in (DATABASE, BUCKET)]
    return any(one.protected or not _thrown_away(one) for one in stores)


def _thrown_away(store: Resource) -> bool:
    if store.type == BUCKET:
        return store.at("forceDestroy") is True
    return store.at("deletionProtection") is False and not store.at("settings.deletionProtectionEnabled")


def those(stack: Sequence[Resource], *types: str) -> Iterator[Resource]:
    """Yield the resources of some types, none where the stack may be thrown away."""
    if is_durable(stack):
        yield from (one for one in stack if one.type in types)


def _primaries(stack: Sequence[Resource]) -> Iterator[Resource]:
    """Yield the instances that have data of their own; a read replica is made anew from its primary."""
    yield from (instance for instance in those(stack, DATABASE) if not instance.at("masterInstanceName"))


Problems = Iterator[tuple[Resource, str]]


def _left_off(store: Resource, *switches: str) -> Problems:
    """Yield the switches, by their paths, that are not on."""
    for path in switches:
        value = store.at(path)
        if not_on(value):
            yield store, f"{path} is {said(value)}: set it to true, as mlflow:durable does"


@stack_rule
def durable_databases_have_a_private_address_only(stack: Sequence[Resource]) -> Problems:
    """CIS Google Cloud 6.7: a database that lasts has no public address."""
    for instance in those(stack, DATABASE):
        public = instance.at("settings.ipConfiguration.ipv4Enabled")
        if not_off(public):
            yield (
                instance,
                f"settings.ipConfiguration.ipv4Enabled is {said(public)}: set it to false, and mlflow:network",
            )
        if not _has_a_private_address(instance):
            yield instance, "settings.ipConfiguration.privateNetwork is not set: name the cluster's VPC, mlflow:network"


def _has_a_private_address(instance: Resource) -> bool:
    """Tell whether a VPC reaches an instance, by an address in it or by Private Service Connect."""
    connects = instance.at("settings.ipConfiguration.pscConfigs")
    by_service = connects is UNKNOWN or any(at(one, "pscEnabled") for one in items(connects))
    return by_service or instance.at("settings.ipConfiguration.privateNetwork") is not None


@stack_rule
def durable_databases_are_kept_from_deletion(stack: Sequence[Resource]) -> Problems:
    """CIS Google Cloud 6.9: neither Pulumi nor anybody else at Google deletes the instance by mistake."""
    for instance in those(stack, DATABASE):
        yield from _left_off(instance, "deletionProtection", "settings.deletionProtectionEnabled")


@stack_rule
def durable_databases_are_regional(stack: Sequence[Resource]) -> Problems:
    """Google's Cloud SQL high availability: the database outlives the loss of a zone."""
    for instance in _primaries(stack):
        availability = instance.at("settings.availabilityType")
        if differs(availability, "REGIONAL"):
            yield instance, f"settings.availabilityType is {said(availability)}: set it to REGIONAL"


@stack_rule
def durable_databases_are_backed_up(stack: Sequence[Resource]) -> Problems:
    """CIS Google Cloud 6.8: backups are automatic, and any moment can be brought back."""
    for instance in _primaries(stack):
        backups = "settings.backupConfiguration"
        # Google's point-in-time recovery: MySQL's is by its binary log.
        mysql = str(instance.at("databaseVersion")).startswith("MYSQL_")
        recovery = "binaryLogEnabled" if mysql else "pointInTimeRecoveryEnabled"
        yield from _left_off(instance, f"{backups}.enabled", f"{backups}.{recovery}")


@stack_rule
def durable_backups_outlive_their_instance(stack: Sequence[Resource]) -> Problems:
    """Google's Cloud SQL `Delete instances`: with the instance go its backups, unless they are retained."""
    for instance in _primaries(stack):
        yield from _left_off(instance, "settings.retainBackupsOnDelete", "settings.finalBackupConfig.enabled")


@stack_rule
def durable_buckets_keep_what_is_overwritten(stack: Sequence[Resource]) -> Problems:
    """Google's data protection for buckets: versions and soft delete bring back what was deleted."""
    for bucket in those(stack, BUCKET):
        yield from _left_off(bucket, "versioning.enabled")
        seconds = bucket.at("softDeletePolicy.retentionDurationSeconds")
        if seconds is not UNKNOWN and (as_number(seconds) or 0) < _SOFT_DELETE_DAYS * 86400:
            path = "softDeletePolicy.retentionDurationSeconds"
            yield bucket, f"{path} is {said(seconds)}: set it to {_SOFT_DELETE_DAYS * 86400} or more"


@stack_rule
def durable_buckets_lose_no_live_object(stack: Sequence[Resource]) -> Problems:
    """Google's object lifecycle: age deletes only what was replaced, and nothing goes with the bucket."""
    for bucket in those(stack, BUCKET):
        if bucket.at("forceDestroy") is True:
            yield bucket, "forceDestroy is true: set it to false, as mlflow:durable does"
        for number, entry in enumerate(items(bucket.at("lifecycleRules"))):
            if at(entry, "action.type") == "Delete" and not _only_noncurrent(at(entry, "condition")):
                yield bucket, f"lifecycleRules[{number}] deletes live objects: add the condition withState ARCHIVED"


def _only_noncurrent(condition: object) -> bool:
    return at(condition, "withState") == "ARCHIVED" or any(at(condition, name) for name in _NONCURRENT)


@stack_rule
def durable_data_is_protected(stack: Sequence[Resource]) -> Problems:
    """Pulumi's resource option `protect`: taking data down needs a step of its own."""
    for store in those(stack, DATABASE, _CONTENTS, BUCKET):
        if not store.protected:
            yield store, "the resource option protect is not set: set it, as mlflow:durable does"


@stack_rule
def durable_stacks_have_no_keys(stack: Sequence[Resource]) -> Problems:
    """CIS Google Cloud 1.4: Workload Identity stands in for keys of service accounts, which never expire."""
    for key in those(stack, *_KEYS):
        account = key.at("serviceAccountId") or key.at("serviceAccountEmail")
        yield key, f"it is a key of {said(account)}: set mlflow:workloadIdentity to true"


POLICIES = (
    durable_databases_have_a_private_address_only,
    durable_databases_are_kept_from_deletion,
    durable_databases_are_regional,
    durable_databases_are_backed_up,
    durable_backups_outlive_their_instance,
    durable_buckets_keep_what_is_overwritten,
    durable_buckets_lose_no_live_object,
    durable_data_is_protected,
    durable_stacks_have_no_keys,
)
