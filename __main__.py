"""The program: settings make providers, providers make components, and what the first returns the next is given."""

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pulumi_random as random

import components.gcp as cloud
from components.kubernetes import TrackingServer, TrackingServerArgs
from settings import Settings

NAME = "mlflow-tracking"
LABELS = {"app": "mlflow-tracking-server"}

settings = Settings.load()

google = gcp.Provider(
    "google",
    project=settings.project,
    access_token=settings.access_token,
    sql_custom_endpoint=settings.sql_endpoint,
    storage_custom_endpoint=settings.storage_endpoint,
    iam_custom_endpoint=settings.iam_endpoint,
)
cluster = kubernetes.Provider(
    "cluster",
    context=settings.context,
    # The same context is the same cluster, even after it was rebuilt at another address.
    cluster_identifier=settings.context,
    # Changed in place; the checksum among the pods' annotations makes them follow.
    enable_config_map_mutable=True,
    enable_secret_mutable=True,
)
in_google = pulumi.ResourceOptions(providers=[google, random.Provider("random")])

database = cloud.CloudSqlPostgres(
    NAME,
    cloud.CloudSqlPostgresArgs(
        instance_name=settings.database_instance,
        region=settings.region,
        version=settings.database_version,
        tier=settings.database_tier,
        authorized_networks=settings.authorized_networks,
        labels=LABELS,
    ),
    in_google,
)
bucket = cloud.ArtifactBucket(
    NAME, cloud.ArtifactBucketArgs(bucket_name=settings.bucket_name, region=settings.region, labels=LABELS), in_google
)
identity = cloud.ServerIdentity(
    NAME,
    cloud.ServerIdentityArgs(account_id=NAME, bucket=bucket.name, with_key=settings.storage_emulator is None),
    in_google,
)
server = TrackingServer(
    NAME,
    TrackingServerArgs(
        artifact_root=bucket.url,
        database_host=database.host,
        database=database.database,
        database_user=database.user,
        database_password=database.password,
        database_ca=database.server_ca,
        cloud_key=identity.key,
        storage_emulator=settings.storage_emulator,
        image=settings.image,
        artifact_access=settings.artifact_access,
        replicas=settings.replicas,
        workers=settings.workers,
        resources={
            "requests": {"cpu": settings.cpu_request, "memory": settings.memory_request},
            "limits": {"cpu": settings.cpu_limit, "memory": settings.memory_limit},
        },
        node_address=settings.node_address,
        node_port=settings.node_port,
        # No output of the grant flows into the pods, yet without it they could not store a single artifact.
        after=[identity],
    ),
    pulumi.ResourceOptions(providers=[cluster]),
)

pulumi.export("tracking_uri", server.tracking_uri)
pulumi.export("artifact_root", bucket.url)
pulumi.export("database_host", database.host)
pulumi.export("database_instance", database.instance_name)
pulumi.export("namespace", server.namespace)
