"""The Google Cloud layer: where metadata and artifacts are kept, and who may touch them."""

from components.gcp.artifact_bucket import ArtifactBucket, ArtifactBucketArgs
from components.gcp.backup_bucket import BackupBucket, BackupBucketArgs
from components.gcp.cloud_sql import CloudSqlPostgres, CloudSqlPostgresArgs
from components.gcp.private_services import PrivateServices, PrivateServicesArgs
from components.gcp.server_identity import ServerIdentity, ServerIdentityArgs, account_id

__all__ = [
    "ArtifactBucket",
    "ArtifactBucketArgs",
    "BackupBucket",
    "BackupBucketArgs",
    "CloudSqlPostgres",
    "CloudSqlPostgresArgs",
    "PrivateServices",
    "PrivateServicesArgs",
    "ServerIdentity",
    "ServerIdentityArgs",
    "account_id",
]
