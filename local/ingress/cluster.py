"""What the stand-in reads from the cluster, and tells there: where an Ingress is served, and what is wrong with one."""

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from httpx2 import HTTPError
from lightkube.config.kubeconfig import KubeConfig
from lightkube.config.models import Cluster as Address
from lightkube.config.models import User
from lightkube.core.client import Client, FieldSelector
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import EventSource, ObjectReference
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Event, Secret, Service
from lightkube.resources.networking_v1 import Ingress
from lightkube.types import PatchType

from local.ingress import CONTROLLER
from local.ingress.routes import Objects, key

log = logging.getLogger(__name__)

TLS_SECRETS: FieldSelector = {"type": "kubernetes.io/tls"}
PAUSE_SECONDS = 1


def connect(url: str, authority: Path, certificate: Path, private_key: Path) -> Client:
    """Return a client that logs in by a certificate; it reads the files itself and leaves no copy of them."""
    address = Address(server=url, certificate_auth=str(authority))
    user = User(client_cert=str(certificate), client_key=str(private_key))
    config = KubeConfig.from_one(user=user, cluster=address, context_name="ingress", fname=str(authority))
    return Client(config.get(), namespace="default", trust_env=False)


class Cluster:
    """The cluster, as far as it is this stand-in's matter."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def watch(self, changed: threading.Event) -> None:
        """Set `changed` whenever something may have changed, from now until the program ends."""
        for kind, fields in ((Ingress, None), (Service, None), (Secret, TLS_SECRETS)):
            watch = threading.Thread(target=self._watch, args=(kind, fields, changed), name=kind.__name__, daemon=True)
            watch.start()

    def _watch(
        self, kind: type[Ingress | Service | Secret], fields: FieldSelector | None, changed: threading.Event
    ) -> None:
        """Watch one kind; a watch begins by telling all that is there, so nothing is missed between two of them."""
        while True:
            try:
                for _ in self._client.watch(kind, namespace="*", fields=fields):
                    changed.set()
            except HTTPError as error:
                log.warning("watching %s ended, beginning again: %s", kind.__name__, error)
                time.sleep(PAUSE_SECONDS)

    def objects(self) -> Objects:
        """Return what is there now."""
        services = self._client.list(Service, namespace="*")
        secrets = self._client.list(Secret, namespace="*", fields=TLS_SECRETS)
        return Objects(
            ingresses=list(self._client.list(Ingress, namespace="*")),
            services={key(service): service for service in services},
            secrets={key(secret): secret for secret in secrets},
        )

    def publish(self, ingress: Ingress, address: str) -> None:
        """Say in the Ingress's status where it is served, unless it says so."""
        said = ingress.status.loadBalancer if ingress.status else None
        if said and [point.ip for point in said.ingress or []] == [address]:
            return
        namespace, _, name = key(ingress).partition("/")
        status = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
        self._client.patch(Ingress.Status, name, status, namespace=namespace, patch_type=PatchType.MERGE)
        log.info("%s is served at %s", key(ingress), address)

    def warn(self, ingress: Ingress, reason: str, message: str) -> None:
        """Tell what is wrong with an Ingress: in the log, and in an Event that `kubectl describe` shows."""
        log.warning("%s: %s: %s", key(ingress), reason, message)
        namespace, _, name = key(ingress).partition("/")
        now = datetime.now(UTC)
        uid = ingress.metadata.uid if ingress.metadata else None
        event = Event(
            metadata=ObjectMeta(generateName=f"{name}-", namespace=namespace),
            involvedObject=ObjectReference(
                apiVersion="networking.k8s.io/v1", kind="Ingress", name=name, namespace=namespace, uid=uid
            ),
            type="Warning",
            reason=reason,
            message=message,
            source=EventSource(component=CONTROLLER),
            firstTimestamp=now,
            lastTimestamp=now,
            count=1,
        )
        try:
            self._client.create(event)
        except ApiError as error:  # such as in a namespace that is going
            log.warning("%s: no Event could be made: %s", key(ingress), error)
