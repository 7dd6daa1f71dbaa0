"""The artifact store: one private Cloud Storage bucket.

Owns the bucket and its privacy. Leaves to `server_identity` who may use it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp


@dataclass(frozen=True, kw_only=True)
class ArtifactBucketArgs:
    """What an ArtifactBucket needs."""

    bucket_name: str
    """Physical name, unique among all of Cloud Storage."""
    region: str
    """Google Cloud region, such as asia-southeast1."""
    labels: dict[str, str]
    """Labels of the bucket."""


class ArtifactBucket(pulumi.ComponentResource):
    """A bucket for models, images and other files of runs; never public."""

    name: pulumi.Output[str]
    """Physical name of the bucket."""
    url: pulumi.Output[str]
    """`gs://` URL of the bucket."""

    def __init__(self, name: str, args: ArtifactBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:gcp:ArtifactBucket", name, None, opts)
        bucket = gcp.storage.Bucket(
            name,
            name=args.bucket_name,
            # Cloud Storage answers in upper case; asked for in lower case, every preview would show a difference.
            location=args.region.upper(),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            # `pulumi destroy` is meant to clean up completely, artifacts included.
            force_destroy=True,
            labels=args.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = bucket.name
        self.url = pulumi.Output.concat("gs://", bucket.name)
        self.register_outputs({"name": self.name, "url": self.url})
