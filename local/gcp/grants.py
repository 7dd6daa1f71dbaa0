"""What the policy of a bucket grants (https://cloud.google.com/storage/docs/access-control/iam-roles).

A conditional grant counts for nothing here. Of roles in a project there are none: what no bucket grants, no service
account may.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request

from local.gcp.app import Call, Handler
from local.gcp.discovery import Method
from local.gcp.errors import ApiError
from local.gcp.storage import Buckets
from local.gcp.store import Json
from local.gcp.tokens import Tokens

_ALL = frozenset({"create", "delete", "get", "list", "update"})
_IN_BUCKET = frozenset({"buckets.get", "create", "delete", "list"})
_POLICY = frozenset({"buckets.getIamPolicy", "buckets.setIamPolicy", "buckets.update", "buckets.patch"})
_ROLES = {
    "roles/storage.admin": _ALL | _IN_BUCKET | _POLICY | {"buckets.delete"},
    "roles/storage.objectAdmin": _ALL,
    "roles/storage.objectUser": _ALL,
    "roles/storage.objectViewer": frozenset({"get", "list"}),
    "roles/storage.objectCreator": frozenset({"create"}),
    "roles/storage.legacyBucketOwner": _IN_BUCKET | _POLICY,
    "roles/storage.legacyBucketWriter": _IN_BUCKET,
    "roles/storage.legacyBucketReader": frozenset({"buckets.get", "list"}),
    "roles/storage.legacyObjectOwner": frozenset({"get", "update"}),
    "roles/storage.legacyObjectReader": frozenset({"get"}),
}


class Grants:
    """Looks into the policies of buckets."""

    def __init__(self, buckets: Buckets, tokens: Tokens) -> None:
        self._buckets = buckets
        self._tokens = tokens

    def allow(self, account: str, bucket: str, permission: str) -> bool:
        """Tell whether a service account may `permission` ("get") the objects of a bucket, or the bucket itself."""
        members = {f"serviceAccount:{account}", "allAuthenticatedUsers", "allUsers"}
        return any(
            not members.isdisjoint(binding["members"])
            and permission in _ROLES.get(binding["role"], ())
            and "condition" not in binding
            for binding in self._buckets.bindings(bucket)
        )

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {"storage.buckets.testIamPermissions": self._test}

    def _test(self, call: Call) -> Json:
        bucket, asked = call.path["bucket"], call.query["permissions"].split(",")
        self._buckets.find(bucket)
        short = {each: each.removeprefix("storage.").removeprefix("objects.") for each in asked}
        found = [each for each in asked if call.caller is None or self.allow(call.caller, bucket, short[each])]
        return {"kind": "storage#testIamPermissionsResponse", "permissions": found}

    def caller(self, request: Request, method: Method, path: Mapping[str, str]) -> str | None:
        """Answer which service account asks, None for the person at the machine.

        Raises ApiError 403 where it may not call the method; those of objects have rules of their own.
        """
        account, action = self._tokens.account(request), method.id.removeprefix("storage.")
        action = "list" if action == "buckets.getStorageLayout" else action
        if account is None or action.startswith("objects.") or action == "buckets.testIamPermissions":
            return account
        if self.allow(account, path.get("bucket", ""), action):
            return account
        raise ApiError(HTTPStatus.FORBIDDEN, "forbidden", f"{account} does not have permission to call {method.id}.")
