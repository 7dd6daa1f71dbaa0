"""Long-running operations: accepted at once, done later, one at a time for each instance.

An operation and what it has to do are in the store before the answer goes out, so an unfinished one is taken up
again by the next start. That is why every work function may be run a second time over a half-done first.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeAlias

from local.gcp.errors import OperationFailedError, conflict, not_found
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]
Work: TypeAlias = Callable[[Json], None]
log = logging.getLogger(__name__)

_KIND = "sql.operation"
_HOLD_SECONDS = 5
_API = "https://sqladmin.googleapis.com/sql/v1beta4"


def timestamp() -> str:
    """Now, as Google writes times."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Operations:
    """The operations of Cloud SQL."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._works: dict[str, Work] = {}
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="operation")
        self._finished = threading.Condition()

    def register(self, works: Mapping[str, Work]) -> None:
        """Say what an operation type ("CREATE") does."""
        self._works |= works

    def start(self, operation_type: str, project: str, instance: str, work: Json) -> Json:
        """Accept an operation on an instance and answer it as PENDING.

        Raises ApiError 409 while another operation on the same instance is unfinished, as Cloud SQL does.
        """
        name = str(uuid.uuid4())
        operation: Json = {
            "kind": "sql#operation",
            "name": name,
            "operationType": operation_type,
            "status": "PENDING",
            "insertTime": timestamp(),
            "targetId": instance,
            "targetProject": project,
            "targetLink": f"{_API}/projects/{project}/instances/{instance}",
            "selfLink": f"{_API}/projects/{project}/operations/{name}",
        }
        with self._store.transaction():
            self.require_idle(project, instance)
            self._store.put(_KIND, f"{project}/{name}", {"operation": operation, "work": work})
        self._pool.submit(self._run, f"{project}/{name}")
        return operation

    def require_idle(self, project: str, instance: str) -> None:
        """Raise ApiError 409 while an operation on the instance is unfinished."""
        if self.busy(project, instance):
            message = "Operation failed because another operation was already in progress."
            raise conflict("operationInProgress", f"{message} Try your request after it has finished.")

    def busy(self, project: str, instance: str) -> bool:
        """Tell whether an operation on the instance is unfinished."""
        mine = (body["operation"] for _, body in self._store.items(_KIND, f"{project}/"))
        return any(o["targetId"] == instance and o["status"] != "DONE" for o in mine)

    def get(self, project: str, name: str) -> Json:
        """Answer an operation; ApiError 404 when there is none."""
        body = self._store.get(_KIND, f"{project}/{name}")
        if body is None:
            raise not_found(f"The operation {name} of project {project} does not exist.")
        return body["operation"]

    def wait(self, project: str, name: str) -> Json:
        """Answer an operation when it is done, or as it is after a while.

        The provider asks at once and then every 10 s; an answer held back for a moment spares it the second time.
        """
        with self._finished:
            self._finished.wait_for(lambda: self.get(project, name)["status"] == "DONE", _HOLD_SECONDS)
        return self.get(project, name)

    def items(self, project: str, instance: str | None) -> list[Json]:
        """Answer the operations of a project or of one instance, the newest first."""
        found = [body["operation"] for _, body in self._store.items(_KIND, f"{project}/")]
        mine = [o for o in found if instance is None or o["targetId"] == instance]
        return sorted(mine, key=lambda o: o["insertTime"], reverse=True)

    def resume(self) -> None:
        """Take up every unfinished operation of an earlier run."""
        for key, body in self._store.items(_KIND):
            if body["operation"]["status"] != "DONE":
                self._pool.submit(self._run, key)

    def close(self) -> None:
        """Finish what is running; what has not begun stays in the store for the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, key: str) -> None:
        body = self._store.get(_KIND, key) or {}
        operation: Json = body["operation"]
        operation |= {"status": "RUNNING", "startTime": timestamp()}
        self._store.put(_KIND, key, body)
        try:
            self._works[operation["operationType"]](body["work"])
        except OperationFailedError as error:
            operation["error"] = _error(error.code, error.message)
        except Exception as error:
            log.exception("%s of %s failed", operation["operationType"], operation["targetId"])
            operation["error"] = _error("INTERNAL_ERROR", f"{type(error).__name__}: {error}")
        operation |= {"status": "DONE", "endTime": timestamp()}
        with self._finished:
            self._store.put(_KIND, key, {"operation": operation})
            self._finished.notify_all()
        outcome = operation["error"]["errors"][0]["message"] if "error" in operation else "done"
        log.info("operation %s of %s: %s", operation["operationType"], operation["targetId"], outcome)


def _error(code: str, message: str) -> Json:
    error = {"kind": "sql#operationError", "code": code, "message": message}
    return {"kind": "sql#operationErrors", "errors": [error]}
