"""`restore`: a backup of database and artifacts into a stack, most often a new one.

What the stack holds is lost. The server is stopped meanwhile. Each step may be done twice, so an interrupted restore is
ended by the same command; word of it is left at the Deployment.
"""

import json
from dataclasses import dataclass

from operations.bucket import Folder, check, copy, differing, total
from operations.clients import cloud_storage
from operations.errors import UserError
from operations.instance import BackupRun, Instance
from operations.manifest import ARTIFACTS, DUMP, Manifest
from operations.progress import say, step
from operations.server import Server
from operations.stack import Stack

_NOTE = "mlflow-operations/restoring"
_OWNER = "owner.sql"
_PREPARE = """
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE "{role}"; END IF; END $$;
GRANT "{role}" TO CURRENT_USER, cloudsqlsuperuser;
GRANT USAGE, CREATE ON SCHEMA public TO "{role}";
"""
"""What mlflow-database-account does in a database later, as far as an import needs it."""
_HELD = {
    "runs": "runs",
    "experiments": "experiments WHERE name <> 'Default'",
    "registered models": "registered_models",
    "logged models": "logged_models",
    "traces": "trace_info",
}
_HELD_OF_USERS = {"users": "users WHERE username <> 'admin'"}
"""Rows that a new stack does not have, by what people call them; the second where people log in."""


def restore(stack: Stack, url: str, *, overwrite: bool) -> None:
    """Put database and artifacts of a stack to what a backup holds.

    Args:
        stack: deployed already.
        url: of the backup, `gs://<bucket>/<time>`.
        overwrite: whether what the stack holds may be lost.

    Raises:
        UserError: the backup is not whole, or something would be lost that may not.

    """
    bucket, _, name = url.removeprefix("gs://").rstrip("/").partition("/")
    if not url.startswith("gs://") or not bucket or not name:
        raise UserError(f"{url}: give the address of a backup, gs://<bucket>/<time>, as `backups` lists them")
    if stack.database == "postgres":
        raise UserError(
            f"--stack {stack.name}: mlflow:databaseUser is postgres, whose database belongs to the instance and cannot"
            " be made anew; choose another name, such as mlflow, in a new stack"
        )
    with cloud_storage(stack) as client, Instance(stack) as instance:
        backup = Folder(bucket=client.bucket(bucket)).folder(name)
        restoration = _Restoration(
            stack=stack,
            server=Server(stack),
            instance=instance,
            database=stack.database,
            backup=backup,
            own=Folder(bucket=client.bucket(stack.backups)).folder(name),
            artifacts=Folder(bucket=client.bucket(stack.artifacts)),
            manifest=Manifest.read(backup),
        )
        _check_owner(stack, restoration.manifest)
        _check_whole(backup, restoration.manifest)
        restoration.permit(overwrite=overwrite)
        restoration.run()


@dataclass(frozen=True, kw_only=True)
class _Restoration:
    """One restore.

    Attributes:
        stack: that loses what it holds.
        server: of the stack.
        instance: of the stack.
        database: of the stack.
        backup: where it lies.
        own: where the stack's instance may read it.
        artifacts: of the stack.
        manifest: of the backup.

    """

    stack: Stack
    server: Server
    instance: Instance
    database: str
    backup: Folder
    own: Folder
    artifacts: Folder
    manifest: Manifest

    def permit(self, *, overwrite: bool) -> None:
        """See that nothing is lost that may not, and say what is."""
        held = "" if self._goes_on() else _held(self.stack, self.server, self.artifacts)
        if held and not overwrite:
            raise UserError(
                f"--stack {self.stack.name} holds {held}, which would be lost: restore into a new stack,"
                " or add --overwrite"
            )
        _tell(self.stack, self.manifest)
        if held:
            say(f"lost: {held}")

    def _goes_on(self) -> bool:
        """Tell whether the same restore was interrupted, and nobody has used the stack since."""
        return self.server.note(_NOTE).partition(" ")[0] == self.backup.url and self.server.replicas() == 0

    def run(self) -> None:
        """Do it."""
        elsewhere = self.own.url != self.backup.url
        if elsewhere:
            _bring(self.backup, self.own)
        try:
            if not self._goes_on():
                self.server.leave_note(_NOTE, self.backup.url)
            self.server.stop()
            before = self._backup_before()
            say(
                f"the database of before is backup {before.id} of the instance {self.instance.name}; the bucket keeps"
                " deleted objects as old versions for 30 days. The way back to that database:\n"
                f"  python -m operations downgrade {self.stack.image} --backup {before.id} --stack {self.stack.name}"
            )
            self.instance.empty(self.database)
            self._prepare()
            self.instance.load(self.database, f"{self.own.url}/{DUMP}")
            _restore_artifacts(self.manifest, self.backup.folder(ARTIFACTS), self.artifacts)
            self.stack.up_with_new_jobs()
            self.server.leave_note(_NOTE, None)
        except BaseException:
            say(
                f"not done: the stack {self.stack.name} is of no use as it is; run the same command again to go on,"
                " or the way back"
            )
            raise
        if elsewhere:
            self.own.blob(DUMP).delete()
        say("database and artifacts are those of the backup")
        self.server.start()
        _check_runs(self.server, self.manifest)
        say(f"restored and checked: {self.manifest.runs} runs, {total(self.manifest.artifacts)} of artifacts")

    def _backup_before(self) -> BackupRun:
        """Return the backup to go back to; the same restore, interrupted, has made it."""
        _, _, made = self.server.note(_NOTE).partition(" ")
        if made:
            return self.instance.backup(made)
        backup = self.instance.back_up(f"before the restore of {self.backup.url}")
        self.server.leave_note(_NOTE, f"{self.backup.url} {backup.id}")
        return backup

    def _prepare(self) -> None:
        """Let the role that owns everything create in the new database: an import gives each table to it at once."""
        script = self.own.blob(_OWNER)
        script.upload_from_string(_PREPARE.format(role=self.database), content_type="application/sql")
        self.instance.load(self.database, f"{self.own.url}/{_OWNER}")
        script.delete()


def _check_owner(stack: Stack, manifest: Manifest) -> None:
    """See that who owns the tables of the backup is there: `postgres` is in every instance."""
    if manifest.database not in (stack.database, "postgres"):
        raise UserError(
            f"--stack {stack.name}: mlflow:databaseUser is {stack.database}, and the backup is of a stack where it is"
            f" {manifest.database}: restore into a stack with mlflow:databaseUser {manifest.database}"
        )


def _check_whole(backup: Folder, manifest: Manifest) -> None:
    with step(f"backup: looking for all that {backup.url} names"):
        found = backup.listing()
        wanted = {f"{ARTIFACTS}/{name}": each for name, each in manifest.artifacts.items()}
        wrong = differing({DUMP: manifest.dump, **wanted}, found)
    if wrong:
        raise UserError(
            f"{backup.url}: {len(wrong)} objects are missing or have changed, such as {wrong[0]}; take another backup"
        )


def _held(stack: Stack, server: Server, artifacts: Folder) -> str:
    """Return what a stack holds that could be lost, in words; empty if nothing."""
    parts: list[str] = []
    kinds = _HELD | (_HELD_OF_USERS if stack.setting("mlflow:authentication") == "basic" else {})
    counts = ", ".join(f"'{what}', (SELECT count(*) FROM {rows})" for what, rows in kinds.items())  # noqa: S608 - ours
    answer = server.ask(f"SELECT json_build_object({counts})::text")
    if answer is None:
        parts.append("runs that cannot be counted, since no pod of the server is ready")
    else:
        found: dict[str, int] = json.loads(answer)
        parts += [f"{count} {what}" for what, count in found.items() if count]
    objects = artifacts.listing()
    if objects:
        parts.append(f"{total(objects)} in {artifacts.url}")
    return " and ".join(parts)


def _tell(stack: Stack, manifest: Manifest) -> None:
    say(f"backup: stack {manifest.stack}, {manifest.time}, {manifest.runs} runs, {total(manifest.artifacts)}")
    if manifest.image != stack.image:
        say(
            f"backup: made under the image {manifest.image}, this stack has {stack.image}; a release of MLflow that"
            " is older than the backup's cannot use its tables"
        )
    if manifest.artifact_access == "direct" and manifest.artifact_root != stack.output("artifact_root"):
        say(
            f"backup: mlflow:artifactAccess was direct, so its runs name their artifacts by {manifest.artifact_root}:"
            f" clients go on looking there and not in {stack.output('artifact_root')}"
        )


def _bring(backup: Folder, own: Folder) -> None:
    """Copy the database to where the instance's own account may read it."""
    with step(f"database: copying {backup.url}/{DUMP} to {own.url}") as still:
        if copy([DUMP], backup, own, still):
            raise UserError(f"{backup.url}/{DUMP} is gone; take another backup")


def _restore_artifacts(manifest: Manifest, source: Folder, target: Folder) -> None:
    with step(f"artifacts: copying {source.url} to {target.url}") as still:
        found = target.listing()
        copy(differing(manifest.artifacts, found), source, target, still)
        target.delete(found.keys() - manifest.artifacts.keys(), still)
    with step(f"artifacts: comparing checksums of {total(manifest.artifacts)}"):
        check(manifest.artifacts, target)


def _check_runs(server: Server, manifest: Manifest) -> None:
    """See that no run is missing; others may have been begun since the server started."""
    runs = server.ask("SELECT count(*) FROM runs")
    if runs is None or int(runs) < manifest.runs:
        raise UserError(f"the database holds {runs} runs, fewer than the {manifest.runs} of the backup")
