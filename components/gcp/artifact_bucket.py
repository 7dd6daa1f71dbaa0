"""The artifact store: one private Cloud Storage bucket.

Owns the bucket. Leaves to `private_bucket` what all buckets have in common, to `server_identity` who may use it.
"""

from dataclasses import dataclass

import pulumi

from components.gcp.private_bucket import private_bucket


@dataclass(frozen=True, kw_only=True)
class ArtifactBucketArgs:
    """What an ArtifactBucket needs."""

    bucket_name: str
    """Physical name, unique among all of Cloud Storage."""
    region: str
    """Google Cloud region, such as asia-southeast1."""
    durable: bool
    """Whether what is overwritten or deleted can be brought back, and the bucket outlives `pulumi destroy`."""
    protected: bool
    """Whether Pulumi refuses to delete it."""
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
        bucket = private_bucket(
            name,
            bucket_name=args.bucket_name,
            region=args.region,
            durable=args.durable,
            protected=args.protected,
            labels=args.labels,
            parent=self,
        )
        self.name = bucket.name
        self.url = pulumi.Output.concat("gs://", bucket.name)
        self.register_outputs({"name": self.name, "url": self.url})
