"""The end of a Cloud SQL instance: the handler of sql.instances.delete, and what stays of it."""

from typing import Any, TypeAlias

from local.gcp.app import Call, Handler
from local.gcp.errors import ApiError, invalid, not_implemented
from local.gcp.sql_backups import Backups
from local.gcp.sql_instances import Instances

Json: TypeAlias = dict[str, Any]


class Deletion:
    """Deletes instances; a final backup is taken first where one is configured or asked for."""

    def __init__(self, instances: Instances, backups: Backups) -> None:
        self._instances = instances
        self._backups = backups
        instances.operations.register({"DELETE": self._delete})

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {"sql.instances.delete": self._request}

    def _request(self, call: Call) -> Json:
        instance: Json = self._instances.find(call.path)["instance"]
        if instance["settings"]["deletionProtectionEnabled"]:
            message = "The instance is protected. Please disable the deletion protection and try again."
            raise invalid(f"{message} (settings.deletionProtectionEnabled)")
        if "finalBackupExpiryTime" in call.query:
            raise not_implemented("query parameter finalBackupExpiryTime of sql.instances.delete")
        asked = {
            "enabled": call.query.get("enableFinalBackup", "").lower() == "true",
            "description": call.query.get("finalBackupDescription", ""),
            "days": call.query.get("finalBackupTtlDays"),
        }
        project, name = call.path["project"], call.path["instance"]
        work = {"project": project, "instance": name, "final": self._backups.final(instance, asked)}
        return self._instances.operations.start("DELETE", project, name, work)

    def _delete(self, work: Json) -> None:
        try:
            record = self._instances.find(work)
        except ApiError:
            return  # a run before this one got this far
        instance = record["instance"]
        if work["final"] and instance["state"] == "RUNNABLE":
            self._backups.take(work["final"])
        self._instances.save(record, {"state": "PENDING_DELETE"})
        self._instances.server(record).remove()
        self._backups.let_go(instance)
        self._instances.forget(work)
