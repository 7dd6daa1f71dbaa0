"""Where backups of database and artifacts lie: a private Cloud Storage bucket beside the one of the artifacts.

Owns the bucket and the database instance's right to write dumps to it. Leaves making and restoring backups to
`operations`.
"""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.gcp.private_bucket import private_bucket


@dataclass(frozen=True, kw_only=True)
class BackupBucketArgs:
    """What a BackupBucket needs."""

    bucket_name: str
    """Physical name, unique among all of Cloud Storage."""
    region: str
    """Google Cloud region, such as asia-southeast1."""
    protected: bool
    """Whether Pulumi refuses to delete it."""
    writer: pulumi.Input[str]
    """Address of the database instance's own service account, which exports and imports."""
    labels: dict[str, str]
    """Labels of the bucket."""


class BackupBucket(pulumi.ComponentResource):
    """A bucket for backups, which outlives its stack."""

    url: pulumi.Output[str]
    """`gs://` URL of the bucket."""

    def __init__(self, name: str, args: BackupBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:gcp:BackupBucket", name, None, opts)
        bucket = private_bucket(
            name,
            bucket_name=args.bucket_name,
            region=args.region,
            durable=True,
            protected=args.protected,
            labels=args.labels,
            parent=self,
        )
        gcp.storage.BucketIAMMember(
            f"{name}-database",
            bucket=bucket.name,
            role="roles/storage.objectAdmin",
            member=pulumi.Output.concat("serviceAccount:", args.writer),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat("gs://", bucket.name)
        self.register_outputs({"url": self.url})
