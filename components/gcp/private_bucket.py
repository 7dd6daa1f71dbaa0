"""What every bucket of a stack has in common: privacy, and how much it takes to lose an object."""

import pulumi
import pulumi_gcp as gcp

_DAY_SECONDS = 24 * 60 * 60
_NONCURRENT_DAYS = 30
_SOFT_DELETE_DAYS = 7


def private_bucket(  # noqa: PLR0913 - one bucket, told in one place
    name: str,
    *,
    bucket_name: str,
    region: str,
    durable: bool,
    protected: bool,
    labels: dict[str, str],
    parent: pulumi.Resource,
) -> gcp.storage.Bucket:
    """Return a bucket that is never public.

    Args:
        name: its name to Pulumi.
        bucket_name: its physical name.
        region: Google Cloud region, such as asia-southeast1.
        durable: whether what is overwritten or deleted can be brought back, and the bucket outlives `pulumi destroy`.
        protected: whether Pulumi refuses to delete it.
        labels: its labels.
        parent: the component it belongs to.

    """
    return gcp.storage.Bucket(
        name,
        name=bucket_name,
        # Cloud Storage answers in upper case; asked for in lower case, every preview would show a difference.
        location=region.upper(),
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        # Without `durable`, `pulumi destroy` is meant to clean up completely, objects included.
        force_destroy=not durable,
        labels=labels,
        versioning={"enabled": True} if durable else None,
        soft_delete_policy={"retention_duration_seconds": _SOFT_DELETE_DAYS * _DAY_SECONDS} if durable else None,
        lifecycle_rules=_lifecycle() if durable else None,
        opts=pulumi.ResourceOptions(parent=parent, protect=protected, retain_on_delete=durable),
    )


def _lifecycle() -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    """Return the rules that clear away what was replaced long ago and never an object that is in use."""
    return [
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": _NONCURRENT_DAYS, "with_state": "ARCHIVED"},
        },
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
    ]
