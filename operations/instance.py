"""A stack's Cloud SQL instance: backups of the whole, and exports and imports of the server's database.

Each call waits until Google is done. Whether the server may be running meanwhile is the caller's business.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from googleapiclient.errors import HttpError

from operations.clients import cloud_sql
from operations.errors import UserError
from operations.progress import say, step
from operations.stack import Stack

Json: TypeAlias = dict[str, Any]

PAGE = 50
"""How many backups are asked for at once."""
_DEADLINE_SECONDS = 12 * 60 * 60  # the longest that Cloud SQL gives an import
_BUSY = "operationInProgress"  # an automatic backup, maintenance, or somebody else's change
_NO_GRANT = "service account does not have the required permissions"
_GRANT_SECONDS = 10 * 60  # for a grant to count: cloud.google.com/iam/docs/access-change-propagation
_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.25, 10
_RETRIES = 5  # of what Google answers with "later"


@dataclass(frozen=True, kw_only=True)
class BackupRun:
    """A backup of the whole instance, kept by Cloud SQL.

    Attributes:
        id: what `restore` takes.
        time: when it was begun (RFC 3339); what came after it is not in it.
        description: what it was made for; empty where Cloud SQL made it by itself.

    """

    id: str
    time: str
    description: str

    @classmethod
    def read(cls, entry: Mapping[str, str]) -> "BackupRun":
        """Return the backup that an answer of Cloud SQL tells of."""
        time = entry.get("startTime", entry.get("enqueuedTime", ""))
        return cls(id=entry["id"], time=time, description=entry.get("description", ""))


class Instance:
    """The database instance of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._api: Any = cloud_sql(stack)
        self._project, self.name = stack.project, stack.output("database_instance")
        self._ids = {"project": self._project, "instance": self.name}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.close()

    def export(self, database: str, url: str) -> None:
        """Write a database as SQL to an object; compressed if its name ends in .gz."""
        context = {"fileType": "SQL", "uri": url, "databases": [database]}
        request = self._api.instances().export(**self._ids, body={"exportContext": context})
        self._do(f"database: exporting {database} to {url}", request)

    def load(self, database: str, url: str) -> None:
        """Run the SQL of an object in a database, as its administrator."""
        context = {"fileType": "SQL", "uri": url, "database": database, "importUser": "postgres"}
        request = self._api.instances().import_(**self._ids, body={"importContext": context})
        self._do(f"database: importing {url} into {database}", request)

    def empty(self, database: str) -> None:
        """Make a database anew; nobody may be connected to it."""
        names = [each["name"] for each in self._ask(self._api.databases().list(**self._ids)).get("items", [])]
        if database in names:  # an interrupted run may have come this far
            self._do(f"database: deleting {database}", self._api.databases().delete(**self._ids, database=database))
        request = self._api.databases().insert(**self._ids, body={"name": database})
        self._do(f"database: making {database}", request)

    def back_up(self, description: str) -> BackupRun:
        """Make a backup of the whole instance and return it."""
        request = self._api.backupRuns().insert(**self._ids, body={"description": description})
        made = self._do(f"database: backing up the instance {self.name}", request)
        return self.backup(made["backupContext"]["backupId"])

    def backup(self, wanted: str) -> BackupRun:
        """Return the backup of that id.

        Raises:
            UserError: there is none that is whole.

        """
        whole = {each["id"]: BackupRun.read(each) for each in self._runs() if each["status"] == "SUCCESSFUL"}
        if wanted in whole:
            return whole[wanted]
        there = "".join(f"\n  {each.id}  {each.time}  {each.description}" for each in whole.values()) or " none"
        raise UserError(f"--backup {wanted}: the instance {self.name} has no such backup; it has{there}")

    def _runs(self) -> Iterator[Json]:
        request = self._api.backupRuns().list(**self._ids, maxResults=PAGE)
        while request is not None:
            answer = self._ask(request)
            yield from answer.get("items", [])
            request = self._api.backupRuns().list_next(request, answer)

    def restore(self, backup: BackupRun) -> None:
        """Put the whole instance back to a backup; nothing of what it holds now is kept."""
        context = {"backupRunId": backup.id, "instanceId": self.name, "project": self._project}
        request = self._api.instances().restoreBackup(**self._ids, body={"restoreBackupContext": context})
        self._do(f"database: restoring backup {backup.id} of {backup.time}", request)

    def set_password(self, user: str, password: str) -> None:
        """Give an account a password."""
        request = self._api.users().update(**self._ids, name=user, body={"name": user, "password": password})
        self._do(f"database: setting the password of {user}", request)

    def _ask(self, request: Any) -> Json:  # noqa: ANN401 - made by Google's client
        return request.execute(num_retries=_RETRIES)

    def _do(self, title: str, request: Any) -> Json:  # noqa: ANN401 - made by Google's client
        """Ask for something, wait until it is done and return the operation."""
        end = time.monotonic() + _DEADLINE_SECONDS
        with step(title) as still:
            operation, wait = self._begin(title, request, end), _FIRST_POLL_SECONDS
            while operation["status"] != "DONE":
                if time.monotonic() > end:
                    raise UserError(f"{title}: not done after 12 hours; {_look(self._project, operation['name'])}")
                time.sleep(wait)
                wait = min(wait * 1.5, _LONGEST_POLL_SECONDS)
                still(operation["status"].lower())
                operation = self._ask(self._api.operations().get(project=self._project, operation=operation["name"]))
            errors = operation.get("error", {}).get("errors", [])
            if errors:
                said = "; ".join(f"{each.get('code')}: {each.get('message')}" for each in errors)
                raise UserError(f"{title}: Cloud SQL could not: {said}; {_look(self._project, operation['name'])}")
        return operation

    def _begin(self, title: str, request: Any, end: float) -> Json:  # noqa: ANN401 - made by Google's client
        """Ask for something once nothing else is done with the instance and grants count; return the operation."""
        told, grants_end = "", time.monotonic() + _GRANT_SECONDS
        while True:
            try:
                return self._ask(request)
            except HttpError as error:
                if _NO_GRANT in error.reason and time.monotonic() < grants_end:
                    obstacle = "waits for its grant in the bucket, which may take 10 minutes to count"
                elif _BUSY in str(error.error_details):
                    obstacle = self._running()
                else:
                    raise
                if time.monotonic() > end:
                    raise UserError(f"{title}: not begun after 12 hours; Cloud SQL {obstacle}") from error
            if obstacle and obstacle != told:
                say(f"{title}: Cloud SQL {obstacle}")
                told = obstacle
            time.sleep(_LONGEST_POLL_SECONDS)

    def _running(self) -> str:
        """Say what is done with the instance now; nothing where that has just ended."""
        newest = self._ask(self._api.operations().list(**self._ids, maxResults=PAGE)).get("items", [])
        running = [f"{each['operationType']} {each['name']}" for each in newest if each["status"] != "DONE"]
        return f"first ends {', '.join(running)}" if running else ""


def _look(project: str, operation: str) -> str:
    return f"`gcloud sql operations describe {operation} --project {project}` tells more"
