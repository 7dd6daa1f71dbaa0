"""Backups of instances: the handlers of sql.backupRuns.* and sql.backups.*.

A backup is a real copy of the server, kept beside the instances' folders. As at Google one backup has two faces: a
backup run of its instance, which goes with the instance, and a Backup of the project, which may outlive it. Automated
ones are begun by `sql_schedule`. Expiry times are recorded and awaited by nobody.
"""

import secrets
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from local.gcp import postgres_copies, sql_settings
from local.gcp.app import Call, Handler
from local.gcp.errors import not_found, not_implemented
from local.gcp.operations import timestamp
from local.gcp.paging import page
from local.gcp.sql_backup_faces import as_backup, as_run, matches
from local.gcp.sql_instances import Instances

Json: TypeAlias = dict[str, Any]

_KIND = "sql.backup"


class Backups:
    """All backups, by the key "PROJECT/UID"; a record has what both faces are made of."""

    def __init__(self, instances: Instances, folder: Path) -> None:
        self._instances = instances
        self._folder = folder
        instances.operations.register({"BACKUP_VOLUME": self._take, "DELETE_BACKUP": self._delete})

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {
            "sql.backupRuns.insert": lambda call: self._insert(call.path, call.body),
            "sql.backupRuns.get": lambda call: as_run(self.run(call.path, call.path["id"])),
            "sql.backupRuns.list": self._list_runs,
            "sql.backupRuns.delete": lambda call: self._start_delete(self.run(call.path, call.path["id"])),
            "sql.backups.createBackup": self._create,
            "sql.backups.getBackup": lambda call: as_backup(self.named(call.path["name"])),
            "sql.backups.listBackups": self._list,
            "sql.backups.deleteBackup": lambda call: self._start_delete(self.named(call.path["name"])),
        }

    def copy(self, record: Json) -> Path:
        """Answer where the copy of a backup is kept."""
        return self._folder / record["uid"]

    def final(self, instance: Json, asked: Json) -> Json | None:
        """Answer the work of an instance's last backup, or None where none is asked for."""
        configured: Json = instance["settings"].get("finalBackupConfig", {})
        if not (asked.get("enabled") or configured.get("enabled")) or instance["state"] != "RUNNABLE":
            return None
        days = asked.get("days") or configured.get("retentionDays") or 30
        record = self._new(instance, {"type": "FINAL", "description": asked.get("description", "")})
        expiry = datetime.now(UTC) + timedelta(days=int(days))
        record["expiryTime"] = expiry.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return record

    def take(self, record: Json) -> None:
        """Take a backup of an instance that serves; a failure is recorded, and raised."""
        path = {"project": record["project"], "instance": record["instance"]}
        instance = self._instances.find(path)
        server = self._instances.server(instance)
        self._save(record, {"state": "RUNNING", "startTime": timestamp()})
        try:
            server.configure(sql_settings.access(instance["instance"]["settings"]))
            server.apply()
            postgres_copies.take(server, self.copy(record))
        except Exception as error:
            self._save(record, {"state": "FAILED", "error": str(error), "endTime": timestamp()})
            raise
        size = sum(file.stat().st_size for file in (self.copy(record)).iterdir())
        self._save(record, {"state": "SUCCESSFUL", "size": str(size), "endTime": timestamp()})

    def let_go(self, instance: Json) -> None:
        """See to the backups of an instance that is deleted: they go with it unless they are final or retained."""
        retained = instance["settings"].get("retainBackupsOnDelete", False)
        for record in self._of(instance):
            if "deleted" in record:
                continue
            if retained or record["type"] == "FINAL":
                self._save(record, {"deleted": timestamp()})
            else:
                self.remove(record)

    def _of(self, instance: Json) -> list[Json]:
        found = [record for _, record in self._instances.store.items(_KIND, f"{instance['project']}/")]
        return [record for record in found if record["instance"] == instance["name"]]

    def run(self, path: dict[str, str], run_id: str) -> Json:
        """Answer a backup of an instance that is there; ApiError 404 when it has none of that id."""
        for record in self._of(self._instances.find(path)["instance"]):
            if record["id"] == run_id and "deleted" not in record:
                return record
        raise not_found(f"The backup run {run_id} of the instance {path['instance']} does not exist.")

    def named(self, name: str) -> Json:
        """Answer a backup by its resource name; ApiError 404 when there is none."""
        _, project, _, uid = name.split("/")
        record = self._instances.store.get(_KIND, f"{project}/{uid}")
        if record is None:
            raise not_found(f"The backup {name} does not exist.")
        return record

    def _list_runs(self, call: Call) -> Json:
        mine = [r for r in self._of(self._instances.find(call.path)["instance"]) if "deleted" not in r]
        runs = [as_run(record) for record in sorted(mine, key=lambda r: r["enqueuedTime"], reverse=True)]
        listed = page(runs, "items", call.query.get("maxResults"), call.query.get("pageToken"))
        return {"kind": "sql#backupRunsList", **listed}

    def _list(self, call: Call) -> Json:
        project = call.path["parent"].removeprefix("projects/")
        found = [record for _, record in self._instances.store.items(_KIND, f"{project}/")]
        asked = [as_backup(record) for record in found if matches(record, call.query.get("filter", ""))]
        return page(asked, "backups", call.query.get("pageSize"), call.query.get("pageToken"))

    def _create(self, call: Call) -> Json:
        project, name = call.path["parent"].removeprefix("projects/"), call.body.get("instance", "")
        if call.body.get("ttlDays"):
            raise not_implemented("Backup.ttlDays")
        return self._insert({"project": project, "instance": name.rpartition("/")[2]}, call.body)

    def _insert(self, path: dict[str, str], asked: Json) -> Json:
        given = {key: asked[key] for key in ("description", "location", "expiryTime") if asked.get(key)}
        return self.start(path, {"type": "ON_DEMAND", **given})

    def automated(self, path: dict[str, str]) -> list[Json]:
        """Answer the automated backups of an instance, the newest first; not those of one before it of that name."""
        mine = [each for each in self._of(self._instances.find(path)["instance"]) if "deleted" not in each]
        found = [each for each in mine if each["type"] == "AUTOMATED"]
        return sorted(found, key=lambda each: each["enqueuedTime"], reverse=True)

    def start(self, path: dict[str, str], given: Json) -> Json:
        """Begin a backup of an instance, and answer the operation; ApiError where there is none, or it is busy."""
        record = self._new(self._instances.find_runnable(path)["instance"], given)
        with self._instances.store.transaction():
            self._save(record, {})
            context = {"kind": "sql#backupContext", "backupId": record["id"], "name": as_backup(record)["name"]}
            return self._start("BACKUP_VOLUME", record, {"backupContext": context})

    def _new(self, instance: Json, given: Json) -> Json:
        configured: str | None = instance["settings"]["backupConfiguration"].get("location")
        return {
            "uid": str(uuid.uuid4()),
            "id": str(int(datetime.now(UTC).timestamp() * 1000) * 1000 + secrets.randbelow(1000)),
            "project": instance["project"],
            "instance": instance["name"],
            "state": "ENQUEUED",
            "enqueuedTime": timestamp(),
            "databaseVersion": instance["databaseVersion"],
            "location": configured or instance["region"].partition("-")[0],
            "settings": instance,
            **given,
        }

    def _start(self, operation_type: str, record: Json, context: Json) -> Json:
        project, instance = record["project"], record["instance"]
        work = {"project": project, "uid": record["uid"]}
        return self._instances.operations.start(operation_type, project, instance, work, context)

    def _start_delete(self, record: Json) -> Json:
        return self._start("DELETE_BACKUP", record, {})

    def _take(self, work: Json) -> None:
        self.take(self.named(f"projects/{work['project']}/backups/{work['uid']}"))

    def _delete(self, work: Json) -> None:
        record = self._instances.store.get(_KIND, _key(work))
        if record is not None:
            self.remove(record)

    def remove(self, record: Json) -> None:
        """Delete a backup."""
        shutil.rmtree(self._folder / record["uid"], ignore_errors=True)
        self._instances.store.delete(_KIND, _key(record))

    def _save(self, record: Json, changes: Json) -> None:
        record |= changes
        self._instances.store.put(_KIND, _key(record), record)


def _key(record: Json) -> str:
    return f"{record['project']}/{record['uid']}"
