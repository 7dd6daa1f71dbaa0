"""What is wrong with settings only beside one another, where each alone is right."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from settings import google, kubernetes, server

if TYPE_CHECKING:
    from settings import Settings

Problem = tuple[str, str, str | None, tuple[str, ...]]
"""Key and value to name, what is wrong (None: nothing), and the keys that have to be right for it to be said."""


def problems(settings: "Settings") -> Iterator[Problem]:
    """Yield what is to be said of the settings together."""
    yield "mlflow:bucketName", settings.bucket_name, google.bucket_name(settings.bucket_name), ("gcp:project",)
    if settings.durable:
        yield from _second_bucket(settings.bucket_name)
    yield from _database(settings)
    yield from _size(settings)
    yield from _way_in(settings)


def _second_bucket(bucket: str) -> Iterator[Problem]:
    problem = google.bucket_name(f"{bucket}-backups")
    if problem is not None:
        remedy = f"the bucket of a durable stack's backups would be {bucket}-backups: {problem}; write a shorter name"
        yield "mlflow:bucketName", bucket, remedy, ("gcp:project",)


def _database(settings: "Settings") -> Iterator[Problem]:
    networks = ", ".join(settings.authorized_networks)
    if settings.network is None:
        yield "mlflow:authorizedNetworks", networks, google.someone_authorized(settings.authorized_networks), ()
    elif networks:
        remedy = "with mlflow:network the database has a private address only; remove one of the two settings"
        yield "mlflow:authorizedNetworks", networks, remedy, ()
    if settings.network and settings.own_peering and not settings.network.startswith(f"projects/{settings.project}/"):
        remedy = "it is another project's, and peered with Google's services there; set mlflow:ownPeering to false"
        yield "mlflow:network", settings.network, remedy, ("gcp:project",)
    if settings.durable and settings.network is None:
        remedy = "a durable stack keeps its database off the internet; name the cluster's network in mlflow:network"
        yield "mlflow:durable", "true", remedy, ()


def _size(settings: "Settings") -> Iterator[Problem]:
    for resource, request, limit in (
        ("cpu", settings.cpu_request, settings.cpu_limit),
        ("memory", settings.memory_request, settings.memory_limit),
    ):
        keys = (f"mlflow:{resource}Request", f"mlflow:{resource}Limit")
        wanted, most = kubernetes.parse_quantity(request), kubernetes.parse_quantity(limit)
        if wanted is not None and most is not None and wanted > most:
            yield keys[0], request, f"it is above {keys[1]}, {limit}; lower the request or raise the limit", keys
    most_memory = kubernetes.parse_quantity(settings.memory_limit)
    if most_memory is not None:
        problem = server.memory_for_workers(most_memory, settings.workers)
        yield "mlflow:memoryLimit", settings.memory_limit, problem, ("mlflow:workers",)
    if 0 < settings.max_replicas < settings.replicas:
        remedy = f"it is below mlflow:replicas, {settings.replicas}; raise it, or write 0 for no more than those"
        yield "mlflow:maxReplicas", str(settings.max_replicas), remedy, ("mlflow:replicas",)


def _way_in(settings: "Settings") -> Iterator[Problem]:
    if settings.host is None:
        yield "mlflow:nodeAddress", settings.node_address, kubernetes.node_address(settings.node_address), ()
    certificate, key = settings.tls_certificate is not None, settings.tls_key is not None
    if certificate != key:
        there, missing = ("tlsCertificate", "tlsKey") if certificate else ("tlsKey", "tlsCertificate")
        yield f"mlflow:{missing}", "", f"mlflow:{there} is of no use without it; set both, or neither", ()
    if settings.host is not None and settings.workload_identity and settings.ingress_class is None:
        remedy = "GKE opens an Ingress without a class to the internet; write gce-internal, or gce if that is meant"
        yield "mlflow:ingressClass", "", remedy, ()
    if certificate and settings.host is None:
        yield "mlflow:host", "", "a certificate is for a host; name it, or remove mlflow:tlsCertificate", ()
    if settings.authentication == "basic" and settings.host is None:
        remedy = "passwords would travel readable; name mlflow:host, whose Ingress takes TLS only, or write none"
        yield "mlflow:authentication", settings.authentication, remedy, ()
