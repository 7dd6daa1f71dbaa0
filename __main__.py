"""The program: settings make providers, providers make components, and what the first returns the next is given."""

import atexit
import gc

# The program lives for seconds and frees next to nothing: to look for garbage, then and at the end, would be a sixth of
# every preview.
gc.disable()
atexit.register(gc.freeze)

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pulumi_random as random

import components.gcp as cloud
from components.kubernetes import APP, NAMESPACE, HostAddress, NodeAddress, TrackingServer, TrackingServerArgs
from components.kubernetes.ownership import overruling
from settings import Settings, deployed

NAME = "mlflow-tracking"
LABELS = {"app": "mlflow-tracking-server"}

settings = Settings.load(deployed)

google = gcp.Provider(
    "google",
    project=settings.project,
    access_token=settings.access_token,
    sql_custom_endpoint=settings.sql_endpoint,
    storage_custom_endpoint=settings.storage_endpoint,
    iam_custom_endpoint=settings.iam_endpoint,
    compute_custom_endpoint=settings.compute_endpoint,
    service_networking_custom_endpoint=settings.service_networking_endpoint,
    resource_manager_custom_endpoint=settings.resource_manager_endpoint,
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
generator = random.Provider("random")
in_google = pulumi.ResourceOptions(providers=[google, generator])
in_cluster = pulumi.ResourceOptions(providers=[cluster, generator], transformations=[overruling])

own_name = cloud.account_id(settings.database_instance)  # another stack of the project has another one
network = settings.network
if network and settings.own_peering:
    private = cloud.PrivateServicesArgs(network=network, range_name=f"{own_name}-services")
    network = cloud.PrivateServices(NAME, private, in_google).network
database = cloud.CloudSqlPostgres(
    NAME,
    cloud.CloudSqlPostgresArgs(
        instance_name=settings.database_instance,
        region=settings.region,
        version=settings.database_version,
        tier=settings.database_tier,
        storage_limit_gib=settings.database_storage_limit,
        authorized_networks=settings.authorized_networks,
        network=network,
        maintenance_window=settings.maintenance_window,
        user=settings.database_user,
        password_generation=settings.database_password_generation,
        durable=settings.durable,
        protected=settings.protected,
        labels=LABELS,
    ),
    in_google,
)
bucket = cloud.ArtifactBucket(
    NAME,
    cloud.ArtifactBucketArgs(
        bucket_name=settings.bucket_name,
        region=settings.region,
        durable=settings.durable,
        protected=settings.protected,
        labels=LABELS,
    ),
    in_google,
)
if settings.durable:
    backups = cloud.BackupBucket(
        f"{NAME}-backups",
        cloud.BackupBucketArgs(
            bucket_name=f"{settings.bucket_name}-backups",
            region=settings.region,
            protected=settings.protected,
            writer=database.service_account,
            labels=LABELS,
        ),
        in_google,
    )
    pulumi.export("backup_root", backups.url)
identity = cloud.ServerIdentity(
    NAME,
    cloud.ServerIdentityArgs(
        account_id=own_name,
        bucket=bucket.name,
        kubernetes_account=f"{settings.project}.svc.id.goog[{NAMESPACE}/{APP}]" if settings.workload_identity else None,
        with_key=not settings.workload_identity,
    ),
    in_google,
)
address = (
    HostAddress(
        host=settings.host,
        ingress_class=settings.ingress_class,
        certificate=settings.tls_certificate,
        key=settings.tls_key,
    )
    if settings.host
    else NodeAddress(host=settings.node_address, port=settings.node_port)
)
disk = {"ephemeral-storage": settings.disk_request} if settings.disk_request else {}
server = TrackingServer(
    NAME,
    TrackingServerArgs(
        owner=f"{settings.project}.{pulumi.get_stack()}",
        artifact_root=bucket.url,
        database=database.database,
        google_account=identity.email if settings.workload_identity else None,
        cloud_key=identity.key,
        storage_endpoint=settings.storage_endpoint,
        image=settings.image,
        artifact_access=settings.artifact_access,
        replicas=settings.replicas,
        max_replicas=settings.max_replicas,
        workers=settings.workers,
        resources={
            "requests": {"cpu": settings.cpu_request, "memory": settings.memory_request, **disk},
            "limits": {"cpu": settings.cpu_limit, "memory": settings.memory_limit},
        },
        address=address,
        encryption_generation=settings.encryption_generation,
        users=settings.authentication == "basic",
        metrics=settings.metrics,
        deleted_run_retention=settings.deleted_run_retention,
        # No output of the grant flows into the pods, yet without it they could not store a single artifact.
        after=[identity],
    ),
    in_cluster,
)

pulumi.export("tracking_uri", server.tracking_uri)
pulumi.export("artifact_root", bucket.url)
pulumi.export("database_host", database.host)
pulumi.export("database_instance", database.instance_name)
pulumi.export("namespace", server.namespace)
if server.admin_password is not None:
    pulumi.export("admin_password", server.admin_password)
