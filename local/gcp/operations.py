"""Long-running operations: accepted at once, done later.

An operation and what it has to do are in the store before the answer goes out, so an unfinished one is taken up
again by the next start. That is why every work function may be run a second time over a half-done first. How an
operation looks is the API's own: each API has a class of its own on this one.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias

from local.gcp.errors import OperationFailedError, not_found
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]
Work: TypeAlias = Callable[[Json], Json | None]
log = logging.getLogger(__name__)

_HOLD_SECONDS = 5


def timestamp(at: datetime | None = None) -> str:
    """Answer a time, else now, as Google writes it."""
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Operations:
    """The operations of one API: records of the form {"operation", "type", "work"} by a key of the API's choice."""

    kind: ClassVar[str]
    """Kind of the records in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._works: dict[str, Work] = {}
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix=self.kind)
        self._finished = threading.Condition()

    def register(self, works: Mapping[str, Work]) -> None:
        """Say what an operation type ("CREATE") does; what it returns is the operation's response, where it has one."""
        self._works |= works

    def find(self, key: str) -> Json:
        """Answer an operation; ApiError 404 when there is none."""
        body = self._store.get(self.kind, key)
        if body is None:
            raise not_found(f"The operation {key} does not exist.")
        return body["operation"]

    def wait(self, key: str) -> Json:
        """Answer an operation when it is done, or as it is after a while.

        The provider asks at once and then every 2 or 10 s; an answer held back for a moment spares it the second time.
        """
        with self._finished:
            self._finished.wait_for(lambda: self.done(self.find(key)), _HOLD_SECONDS)
        return self.find(key)

    def resume(self) -> None:
        """Take up every unfinished operation of an earlier run."""
        for key, body in self._store.items(self.kind):
            if not self.done(body["operation"]):
                self._pool.submit(self._run, key)

    def close(self) -> None:
        """Finish what is running; what has not begun stays in the store for the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def done(self, operation: Json) -> bool:
        """Tell whether an operation has ended."""
        return operation["status"] == "DONE"

    def begun(self) -> Json:
        """Answer what changes in an operation when its work begins."""
        return {"status": "RUNNING", "startTime": timestamp()}

    def ended(self, error: OperationFailedError | None, response: Json | None) -> Json:
        """Answer what changes in an operation when its work has ended."""
        raise NotImplementedError

    def accept(self, key: str, operation_type: str, operation: Json, work: Json) -> None:
        """Keep an operation; `dispatch` begins it once the caller's transaction has ended."""
        self._store.put(self.kind, key, {"operation": operation, "type": operation_type, "work": work})

    def dispatch(self, key: str) -> None:
        """Begin an accepted operation as soon as there is room."""
        self._pool.submit(self._run, key)

    def _run(self, key: str) -> None:
        body = self._store.get(self.kind, key) or {}
        operation: Json = body["operation"]
        operation |= self.begun()
        self._store.put(self.kind, key, body)
        response, failure = None, None
        try:
            response = self._works[body["type"]](body["work"])
        except OperationFailedError as error:
            failure = error
        except Exception as error:
            log.exception("%s %s failed", self.kind, body["type"])
            failure = OperationFailedError("INTERNAL_ERROR", f"{type(error).__name__}: {error}")
        operation |= self.ended(failure, response)
        with self._finished:
            self._store.put(self.kind, key, {"operation": operation, "type": body["type"]})
            self._finished.notify_all()
        log.info("%s %s %s: %s", self.kind, body["type"], key, failure.message if failure else "done")
