"""IAM policies of any resource: read, and written only by who has read the current one (etag).

A policy is answered as it was set, and counts some seconds later, as at Google, where it takes minutes
(https://cloud.google.com/iam/docs/access-change-propagation).
"""

import base64
import time
import uuid
from typing import Any, TypeAlias

from local.gcp.errors import invalid, precondition_failed
from local.gcp.store import Store

Json: TypeAlias = dict[str, Any]

_KIND = "iam.policy"
_FORMER = "iam.formerPolicy"


class Policies:
    """Policies by the full name of their resource ("projects/_/buckets/NAME"); a change counts after `seconds`."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def get(self, resource: str, default: list[Json] | None = None) -> Json:
        """Answer the policy, or one of `default` bindings where none was set."""
        none: Json = {"version": 1, "etag": _etag("none"), "bindings": default or []}
        return self._store.get(_KIND, resource) or none

    def in_force(self, resource: str, default: list[Json] | None = None) -> list[Json]:
        """Answer the bindings that count now."""
        former = self._store.get(_FORMER, resource)
        if former is not None and time.time() < former["until"]:
            return former["bindings"]
        return self.get(resource, default)["bindings"]

    def set(self, resource: str, policy: Json) -> Json:
        """Replace the policy; ApiError 412 when the etag given is not the current one."""
        with self._store.transaction():
            current = self.get(resource)["etag"]
            if policy.get("etag") not in (None, "", current):
                raise precondition_failed(f"The policy of {resource} has changed since it was read (etag).")
            if any("role" not in binding for binding in policy.get("bindings", [])):
                raise invalid("A binding of the policy names no role.")
            bindings = [binding for binding in policy.get("bindings", []) if binding.get("members")]
            changed: Json = {"version": policy.get("version", 1), "etag": _etag(uuid.uuid4().hex), "bindings": bindings}
            former = {"bindings": self.in_force(resource), "until": time.time() + self._seconds}
            self._store.put(_FORMER, resource, former)
            self._store.put(_KIND, resource, changed)
        return changed

    def delete(self, resource: str) -> None:
        """Forget the policy with its resource."""
        self._store.delete(_KIND, resource)
        self._store.delete(_FORMER, resource)


def _etag(text: str) -> str:
    return base64.b64encode(text.encode()[:9]).decode()
