"""IAM policies of any resource: read, and written only by who has read the current one (etag).

Policies are kept and answered. Only `grants` looks into one: all else is open to everybody who reaches the stand-in.
"""

import base64
import uuid
from typing import Any, TypeAlias

from local.gcp.errors import precondition_failed
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]

_KIND = "iam.policy"


class Policies:
    """Policies by the full name of their resource ("projects/_/buckets/NAME")."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, resource: str, default: list[Json] | None = None) -> Json:
        """Answer the policy, or one of `default` bindings where none was set."""
        none: Json = {"version": 1, "etag": _etag("none"), "bindings": default or []}
        return self._store.get(_KIND, resource) or none

    def set(self, resource: str, policy: Json) -> Json:
        """Replace the policy; ApiError 412 when the etag given is not the current one."""
        with self._store.transaction():
            current = self.get(resource)["etag"]
            if policy.get("etag") not in (None, "", current):
                raise precondition_failed(f"The policy of {resource} has changed since it was read (etag).")
            bindings = [binding for binding in policy.get("bindings", []) if binding.get("members")]
            changed: Json = {"version": policy.get("version", 1), "etag": _etag(uuid.uuid4().hex), "bindings": bindings}
            self._store.put(_KIND, resource, changed)
        return changed

    def delete(self, resource: str) -> None:
        """Forget the policy with its resource."""
        self._store.delete(_KIND, resource)


def _etag(text: str) -> str:
    return base64.b64encode(text.encode()[:9]).decode()
