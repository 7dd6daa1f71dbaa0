"""Scans resources at Google Cloud, told to checkov as a Terraform plan: the only form in which it reads them whole.

Pulumi's provider is made of Terraform's, so names differ by rule: Terraform writes snake_case, puts every block into a
list, and names some lists in the singular.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tests.policy.scanners.finding import Finding
from tests.policy.scanners.runner import run_checkov

_TYPES: dict[str, str | None] = {
    "gcp:compute/globalAddress:GlobalAddress": "google_compute_global_address",
    "gcp:serviceaccount/account:Account": "google_service_account",
    "gcp:serviceaccount/iAMMember:IAMMember": "google_service_account_iam_member",
    "gcp:serviceaccount/key:Key": "google_service_account_key",
    "gcp:servicenetworking/connection:Connection": "google_service_networking_connection",
    "gcp:sql/database:Database": "google_sql_database",
    "gcp:sql/databaseInstance:DatabaseInstance": "google_sql_database_instance",
    "gcp:storage/bucket:Bucket": "google_storage_bucket",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "google_storage_bucket_iam_member",
}
_MAPS = frozenset({"labels", "userLabels", "metadata"})
"""Dictionaries whose keys are people's own, and so no blocks."""
_SINGULAR = {"lifecycleRules": "lifecycle_rule"}
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - how Pulumi's protocol marks one


def scan_google(document: Mapping[str, Any]) -> set[Finding]:
    """Return what checkov finds in the Google resources of `pulumi preview --json` or `pulumi stack export`."""
    return run_checkov("terraform_plan", terraform_plan(document))


def terraform_plan(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `pulumi preview --json` or `pulumi stack export` as the plan that makes the same Google resources."""
    resources = [_resource(state) for state in _states(document) if state["type"].startswith("gcp:")]
    assert resources, "there is no resource of Google Cloud to scan"
    changes = [
        {**_named(one), "change": {"actions": ["create"], "before": None, "after": one["values"]}} for one in resources
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": [{**_named(one), "expressions": {}} for one in resources]}},
    }


def _states(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "deployment" in document:
        return document["deployment"]["resources"]
    return [step["newState"] for step in document["steps"] if step.get("newState")]


def _resource(state: Mapping[str, Any]) -> dict[str, Any]:
    type_ = _TYPES.get(state["type"])
    assert type_ is not None, f"{state['type']} has no name at Terraform here: add it to _TYPES"
    name = state["urn"].rpartition("::")[2]
    values = _block(state.get("inputs", {}))
    return {"address": f"{type_}.{name}", "mode": "managed", "type": type_, "name": name, "values": values}


def _named(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: resource[key] for key in ("address", "mode", "type", "name")}


def _block(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _SINGULAR.get(key) or snake_case(key): value if key in _MAPS else _value(value)
        for key, value in inputs.items()
        if not key.startswith("__")
    }


def _value(value: object) -> object:
    match value:
        case dict():
            block = cast("dict[str, Any]", value)
            return "[secret]" if _SECRET in block else [_block(block)]
        case list():
            items = cast("Sequence[object]", value)
            return [_block(cast("dict[str, Any]", item)) if isinstance(item, dict) else item for item in items]
        case _:
            return value


def snake_case(name: str) -> str:
    """Return `retainBackupsOnDelete` as `retain_backups_on_delete`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
