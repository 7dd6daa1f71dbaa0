"""The hosts that the tests of the ingress ask for, and what can be told of them from outside."""

import contextlib
import http.client
import json
import ssl
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.instance import Instance
from tests.production.ingress import web
from tests.production.ingress.sites import NAMESPACE
from tests.scratch import Scratch

HOST, PODS_HOST, OTHER = "shop.example", "pods.example", "other.example"


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        project: a copy of the project that acts on it.
        instance: whose it is.

    """

    project: Scratch
    instance: Instance

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Act as the administrator."""
        return self.project.output("kubectl", *words, stdin=stdin)

    def apply(self, *things: dict[str, Any]) -> None:
        """Make Kubernetes objects."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))


@dataclass(frozen=True)
class WayIn:
    """The served hosts.

    Attributes:
        cluster: where.
        backend: the server on this machine behind `machine`.
        machine: HOST, which leads to this machine.
        pods: PODS_HOST, which leads to two pods.
        folder: for more certificates.

    """

    cluster: Cluster
    backend: web.Backend
    machine: web.Site
    pods: web.Site
    folder: Path

    @property
    def address(self) -> str:
        """Where the ingress answers."""
        return self.cluster.instance.node_address

    def kubectl(self, *words: str) -> str:
        """Act in the namespace of the hosts."""
        return self.cluster.kubectl("-n", NAMESPACE, *words)

    def address_of(self, name: str) -> str:
        """Return the address in an Ingress's status."""
        return self.kubectl("get", "ingress", name, "-o", "jsonpath={.status.loadBalancer.ingress[*].ip}")

    def refused(self, host: str) -> bool:
        """Tell whether a host is refused before anything is said."""
        try:
            web.certificate_of(self.address, host)
        except ssl.SSLError as error:
            return error.reason == "TLSV1_UNRECOGNIZED_NAME"
        return False

    def shows(self, certificate: Path) -> bool:
        """Tell whether HOST shows a certificate."""
        return web.certificate_of(self.address, HOST) == certificate.read_text()


@contextlib.contextmanager
def steady_posts(site: web.Site, clients: int) -> Generator[list[int | str]]:
    """Post to a host again and again over connections that stay open; give the growing list of what came of it."""
    outcomes: list[int | str] = []
    over = threading.Event()

    def post() -> None:
        with contextlib.closing(site.connection()) as connection:
            while not over.wait(0.002):
                try:
                    outcomes.append(web.ask(connection, site.host, "/health", "POST", b"a metric").status)
                except (OSError, http.client.HTTPException) as error:
                    outcomes.append(repr(error))
                    return

    threads = [threading.Thread(target=post) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        over.set()
        for thread in threads:
            thread.join()
