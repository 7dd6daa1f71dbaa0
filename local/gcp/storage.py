"""Buckets: their metadata and IAM policy. What is in them is left to the module object_store."""

import re

from local.gcp import projects
from local.gcp.app import Call, Handler
from local.gcp.errors import conflict, invalid, not_found, not_implemented, precondition_failed
from local.gcp.object_store import BUCKET, ObjectStore
from local.gcp.operations import timestamp
from local.gcp.paging import page
from local.gcp.policies import Policies
from local.gcp.sql_settings import merged
from local.gcp.store import Json, Store

_MULTI_REGIONS = {"US", "EU", "ASIA"}
_SOFT_DELETE_SECONDS = "604800"
_COMPUTED = (
    "kind",
    "id",
    "selfLink",
    "projectNumber",
    "timeCreated",
    "updated",
    "metageneration",
    "etag",
    "name",
    "location",
)


class Buckets:
    """All buckets; names are unique over all projects, as at Google."""

    def __init__(self, store: Store, policies: Policies, objects: ObjectStore) -> None:
        self._store = store
        self._policies = policies
        self._objects = objects

    def handlers(self) -> dict[str, Handler]:
        """Answer the handlers by method id."""
        return {
            "storage.buckets.insert": self._insert,
            "storage.buckets.get": lambda call: self.find(call.path["bucket"]),
            "storage.buckets.getStorageLayout": self._layout,
            "storage.buckets.list": self._list,
            "storage.buckets.patch": self._change,
            "storage.buckets.update": self._change,
            "storage.buckets.delete": self._delete,
            "storage.buckets.getIamPolicy": self._get_policy,
            "storage.buckets.setIamPolicy": self._set_policy,
        }

    def find(self, name: str) -> Json:
        """Answer a bucket; ApiError 404 when there is none."""
        return self._record(name)["bucket"]

    def _record(self, name: str) -> Json:
        record = self._store.get(BUCKET, name)
        if record is None:
            raise not_found("The specified bucket does not exist.")
        return record

    def _insert(self, call: Call) -> Json:
        name: str = call.body.get("name", "")
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", name) or name.startswith("goog"):
            raise invalid(f"Invalid bucket name: {name!r}")
        project = call.query["project"]
        if self._store.get(BUCKET, name):
            raise conflict(
                "conflict", "Your previous request to create the named bucket succeeded and you already own it."
            )
        bucket = _stamped(_with_defaults(name, project, call.body), 1)
        self._store.put(BUCKET, name, {"project": project, "bucket": bucket})
        return bucket

    def _list(self, call: Call) -> Json:
        prefix = call.query.get("prefix", "")
        records = [record for _, record in self._store.items(BUCKET, prefix)]
        mine = [record["bucket"] for record in records if record["project"] == call.query["project"]]
        return {
            "kind": "storage#buckets",
            **page(mine, "items", call.query.get("maxResults"), call.query.get("pageToken")),
        }

    def _layout(self, call: Call) -> Json:
        bucket = self.find(call.path["bucket"])
        place = {name: bucket[name] for name in ("location", "locationType")}
        flat = {"hierarchicalNamespace": {"enabled": False}}
        return {"kind": "storage#storageLayout", "bucket": bucket["name"], **place, **flat}

    def _change(self, call: Call) -> Json:
        name = call.path["bucket"]
        with self._store.transaction():
            record = self._record(name)
            bucket: Json = record["bucket"]
            _check_metageneration(bucket, call)
            asked = {key: value for key, value in call.body.items() if key not in _COMPUTED}
            if call.method.id == "storage.buckets.update":
                base = {key: bucket[key] for key in (*_COMPUTED, "locationType", "storageClass")}
                changed = _with_defaults(name, record["project"], merged(base, asked))
            else:
                changed = _patched(bucket, asked)
            record["bucket"] = _stamped(changed, int(bucket["metageneration"]) + 1)
            self._store.put(BUCKET, name, record)
        return record["bucket"]

    def _delete(self, call: Call) -> None:
        name = call.path["bucket"]
        with self._store.transaction():
            _check_metageneration(self.find(name), call)
            self._objects.drop(name)
            self._store.delete(BUCKET, name)
            self._policies.delete(_resource(name))

    def bindings(self, name: str) -> list[Json]:
        """Answer who may do what with a bucket; nobody anything where there is none."""
        if self._store.get(BUCKET, name) is None:
            return []
        return self._policies.in_force(_resource(name), self._default_bindings(name))

    def _get_policy(self, call: Call) -> Json:
        name = call.path["bucket"]
        self.find(name)
        return _policy(name, self._policies.get(_resource(name), self._default_bindings(name)))

    def _set_policy(self, call: Call) -> Json:
        name = call.path["bucket"]
        self.find(name)
        return _policy(name, self._policies.set(_resource(name), call.body))

    def _default_bindings(self, name: str) -> list[Json]:
        """Bindings of a new bucket, as Google makes them: on its objects too where it has no other access control.

        https://cloud.google.com/storage/docs/access-control/iam-roles#legacy-roles
        """
        record = self._record(name)
        project, uniform = record["project"], record["bucket"]["iamConfiguration"]["uniformBucketLevelAccess"]
        owners = [f"projectEditor:{project}", f"projectOwner:{project}"]
        viewers = [f"projectViewer:{project}"]
        return [
            {"role": f"roles/storage.legacy{level}{role}", "members": members}
            for level in ("Bucket", "Object")[: 1 + uniform["enabled"]]
            for role, members in (("Owner", owners), ("Reader", viewers))
        ]


def _with_defaults(name: str, project: str, asked: Json) -> Json:
    now = timestamp()
    location = asked.get("location", "US").upper()
    uniform = asked.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {}).get("enabled", False)
    defaults: Json = {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "projectNumber": projects.number(project),
        "timeCreated": now,
        "location": location,
        "locationType": "multi-region" if location in _MULTI_REGIONS else "region",
        "storageClass": "STANDARD",
        "softDeletePolicy": {"retentionDurationSeconds": _SOFT_DELETE_SECONDS, "effectiveTime": now},
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": uniform},
            "bucketPolicyOnly": {"enabled": uniform},
            "publicAccessPrevention": "inherited",
        },
    }
    return merged(defaults, asked) | {"location": location}


def _patched(bucket: Json, asked: Json) -> Json:
    changed = merged(bucket, asked)
    uniform = changed["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]
    changed["iamConfiguration"]["bucketPolicyOnly"] = {"enabled": uniform}
    return changed


def _stamped(bucket: Json, metageneration: int) -> Json:
    for name in ("retentionPolicy", "softDeletePolicy"):
        if name in bucket:
            bucket[name].setdefault("effectiveTime", timestamp())
    stamp = {"updated": timestamp(), "metageneration": str(metageneration), "etag": f"CA{metageneration}="}
    return {**bucket, **stamp}


def _check_metageneration(bucket: Json, call: Call) -> None:
    wanted = call.query.get("ifMetagenerationMatch")
    if wanted not in (None, bucket["metageneration"]):
        raise precondition_failed(f"The bucket has metageneration {bucket['metageneration']}, not {wanted}.")
    if "ifMetagenerationNotMatch" in call.query:
        raise not_implemented("query parameter ifMetagenerationNotMatch")


def _resource(name: str) -> str:
    return f"projects/_/buckets/{name}"


def _policy(name: str, policy: Json) -> Json:
    return {"kind": "storage#policy", "resourceId": _resource(name), **policy}
