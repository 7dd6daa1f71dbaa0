"""What the policy of a bucket grants on its objects (https://cloud.google.com/storage/docs/access-control/iam-roles).

A conditional grant counts for nothing here.
"""

from local.gcp.storage import Buckets

_ALL = frozenset({"create", "delete", "get", "list", "update"})
_IN_BUCKET = frozenset({"create", "delete", "list"})
_ROLES = {
    "roles/storage.admin": _ALL,
    "roles/storage.objectAdmin": _ALL,
    "roles/storage.objectUser": _ALL,
    "roles/storage.objectViewer": frozenset({"get", "list"}),
    "roles/storage.objectCreator": frozenset({"create"}),
    "roles/storage.legacyBucketOwner": _IN_BUCKET,
    "roles/storage.legacyBucketWriter": _IN_BUCKET,
    "roles/storage.legacyBucketReader": frozenset({"list"}),
    "roles/storage.legacyObjectOwner": frozenset({"get", "update"}),
    "roles/storage.legacyObjectReader": frozenset({"get"}),
}


class Grants:
    """Looks into the policies of buckets."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def allow(self, account: str, bucket: str, permission: str) -> bool:
        """Tell whether a service account may `permission` ("get") the objects of a bucket."""
        members = {f"serviceAccount:{account}", "allAuthenticatedUsers", "allUsers"}
        return any(
            not members.isdisjoint(binding["members"])
            and permission in _ROLES.get(binding["role"], ())
            and "condition" not in binding
            for binding in self._buckets.bindings(bucket)
        )
