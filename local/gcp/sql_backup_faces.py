"""The two faces of a backup: run of its instance (BackupRun) and resource of its project (Backup)."""

from typing import Any, TypeAlias

from local.gcp.errors import invalid

Json: TypeAlias = dict[str, Any]

_API = "https://sqladmin.googleapis.com/sql/v1beta4"
_SHARED = ("description", "location", "databaseVersion", "type")
_FILTERS = ("instance", "type", "location")


def as_run(record: Json) -> Json:
    """Answer a backup as its instance's run."""
    parent = f"projects/{record['project']}/instances/{record['instance']}"
    return {
        **{key: record[key] for key in (*_SHARED, "startTime", "endTime", "enqueuedTime") if key in record},
        "kind": "sql#backupRun",
        "id": record["id"],
        "instance": record["instance"],
        "status": record["state"],
        "backupKind": "PHYSICAL",
        "windowStartTime": record["enqueuedTime"],
        "selfLink": f"{_API}/{parent}/backupRuns/{record['id']}",
        **_outcome(record),
    }


def as_backup(record: Json) -> Json:
    """Answer a backup as its project's resource."""
    name = f"projects/{record['project']}/backups/{record['uid']}"
    start, end = record.get("startTime", record["enqueuedTime"]), record.get("endTime")
    optional = {"expiryTime": record.get("expiryTime"), "instanceDeletionTime": record.get("deleted")}
    return {
        **{key: record[key] for key in _SHARED if key in record},
        **{key: value for key, value in optional.items() if value},
        "kind": "sql#backup",
        "name": name,
        "selfLink": f"{_API}/{name}",
        "instance": record["instance"],
        "state": record["state"],
        "backupKind": "PHYSICAL",
        "backupRun": f"projects/{record['project']}/instances/{record['instance']}/backupRuns/{record['id']}",
        "backupInterval": {"startTime": start, **({"endTime": end} if end else {})},
        "instanceSettings": record["settings"],
        **_outcome(record),
    }


def matches(record: Json, expression: str) -> bool:
    """Tell whether a backup passes a filter such as "instance:mlflow AND type:FINAL".

    Raises ApiError 400 for a filter of another form.
    """
    for term in expression.replace(" AND ", " ").split():
        field, separator, value = term.partition(":")
        if not separator or field not in _FILTERS:
            raise invalid(f"filter {term!r}: give FIELD:VALUE, FIELD one of {', '.join(_FILTERS)}.")
        if record.get(field) != value:
            return False
    return True


def _outcome(record: Json) -> Json:
    outcome: Json = {}
    if "size" in record:
        outcome["maxChargeableBytes"] = record["size"]
    if "error" in record:
        outcome["error"] = {"kind": "sql#operationError", "code": "INTERNAL_ERROR", "message": record["error"]}
    return outcome
