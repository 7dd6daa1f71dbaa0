"""The operations of Cloud SQL: one at a time for each instance."""

import uuid
from typing import Any, TypeAlias

from local.gcp.errors import OperationFailedError, conflict
from local.gcp.operations import Operations, timestamp

Json: TypeAlias = dict[str, Any]

_API = "https://sqladmin.googleapis.com/sql/v1beta4"


class SqlOperations(Operations):
    """Operations by the key "PROJECT/NAME"."""

    kind = "sql.operation"

    def start(self, operation_type: str, project: str, instance: str, work: Json, context: Json | None = None) -> Json:
        """Accept an operation on an instance and answer it as PENDING; `context` says more of what it does.

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
            **(context or {}),
        }
        with self._store.transaction():
            self.require_idle(project, instance)
            self.accept(f"{project}/{name}", operation_type, operation, work)
        self.dispatch(f"{project}/{name}")
        return operation

    def require_idle(self, project: str, instance: str) -> None:
        """Raise ApiError 409 while an operation on the instance is unfinished."""
        if self.busy(project, instance):
            message = "Operation failed because another operation was already in progress."
            raise conflict("operationInProgress", f"{message} Try your request after it has finished.")

    def busy(self, project: str, instance: str) -> bool:
        """Tell whether an operation on the instance is unfinished."""
        return any(not self.done(operation) for operation in self.items(project, instance))

    def items(self, project: str, instance: str | None) -> list[Json]:
        """Answer the operations of a project or of one instance, the newest first."""
        found = [body["operation"] for _, body in self._store.items(self.kind, f"{project}/")]
        mine = [o for o in found if instance is None or o["targetId"] == instance]
        return sorted(mine, key=lambda o: o["insertTime"], reverse=True)

    def ended(self, error: OperationFailedError | None, response: Json | None) -> Json:
        """Answer the end; Cloud SQL's operations have no response, so what the work returns is laid over them."""
        end: Json = {"status": "DONE", "endTime": timestamp(), **(response or {})}
        if error is not None:
            errors = [{"kind": "sql#operationError", "code": error.code, "message": error.message}]
            end["error"] = {"kind": "sql#operationErrors", "errors": errors}
        return end
