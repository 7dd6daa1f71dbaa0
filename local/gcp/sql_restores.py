"""Putting a backup in place of what an instance holds: the handler of sql.instances.restoreBackup.

Into any instance of the same version, of which everything but its address, certificates and settings is then as it
was when the backup was taken: databases, users, passwords.
"""

from typing import Any, TypeAlias

from local.gcp import postgres_copies, sql_settings
from local.gcp.app import Call, Handler
from local.gcp.errors import ApiError, invalid, not_implemented
from local.gcp.sql_backup_faces import as_backup
from local.gcp.sql_backups import Backups
from local.gcp.sql_instances import Instances

Json: TypeAlias = dict[str, Any]


class Restores:
    """Restores, each an operation of the instance that is restored."""

    def __init__(self, instances: Instances, backups: Backups) -> None:
        self._instances = instances
        self._backups = backups
        instances.operations.register({"RESTORE_VOLUME": self._restore})

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {"sql.instances.restoreBackup": self._request}

    def _request(self, call: Call) -> Json:
        instance = self._instances.find_runnable(call.path)["instance"]
        for unsupported in ("restoreInstanceSettings", "restoreInstanceClearOverridesFieldNames", "backupdrBackup"):
            if call.body.get(unsupported):
                raise not_implemented(f"InstancesRestoreBackupRequest.{unsupported}")
        record = self._chosen(call)
        if record["state"] != "SUCCESSFUL":
            raise ApiError(400, "invalidState", f"The backup is {record['state']}, not SUCCESSFUL.")
        if record["databaseVersion"] != instance["databaseVersion"]:
            versions = f"the backup is of {record['databaseVersion']}, the instance {instance['databaseVersion']}"
            raise invalid(f"A backup is restored into the version that it was taken of: {versions}.")
        project, name = instance["project"], instance["name"]
        work = {"project": project, "instance": name, "backup": as_backup(record)["name"]}
        return self._instances.operations.start("RESTORE_VOLUME", project, name, work)

    def _chosen(self, call: Call) -> Json:
        """Answer the backup that a restore names, in one of two ways."""
        context: Json = call.body.get("restoreBackupContext") or {}
        name: str = call.body.get("backup", "")
        if bool(context) == bool(name):
            raise invalid("Give either restoreBackupContext or backup: which backup is to be restored?")
        if name:
            return self._backups.named(name)
        source = {
            "project": context.get("project") or call.path["project"],
            "instance": context.get("instanceId") or call.path["instance"],
        }
        return self._backups.run(source, context.get("backupRunId", ""))

    def _restore(self, work: Json) -> None:
        record, instance = self._backups.named(work["backup"]), self._instances.find(work)
        access = sql_settings.access(instance["instance"]["settings"])
        postgres_copies.put_back(self._instances.server(instance), self._backups.copy(record), access)
