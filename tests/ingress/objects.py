"""Objects of a cluster as a test wants them."""

import base64
from collections.abc import Mapping
from typing import Any, cast

from lightkube.resources.core_v1 import Secret, Service
from lightkube.resources.networking_v1 import Ingress

from local.ingress.routes import Objects, key

NAMESPACE = "shop"


def ingress(
    *hosts: str,
    name: str = "web",
    paths: Mapping[str, str] | None = None,
    tls: Mapping[str, list[str]] | None = None,
    annotations: Mapping[str, str] | None = None,
    made: str = "2026-01-01T00:00:00Z",
    **spec: object,
) -> Ingress:
    """Return an Ingress that leads `paths` (to their types) of each host to the Service `web`."""
    found = [path(of, kind) for of, kind in (paths or {"/": "Prefix"}).items()]
    rules = [{"host": host, "http": {"paths": found}} for host in hosts]
    entries = [{"secretName": secret, "hosts": named} for secret, named in (tls or {}).items()]
    metadata = _metadata(name) | {"annotations": dict(annotations or {}), "creationTimestamp": made}
    full = {"ingressClassName": "nginx", "rules": rules, "tls": entries, **spec}
    return cast("Ingress", Ingress.from_dict({"metadata": metadata, "spec": full}))


def path(
    of: str, kind: str = "Prefix", *, service: str = "web", port: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a path of a rule."""
    return {"path": of, "pathType": kind, "backend": {"service": {"name": service, "port": port or {"number": 80}}}}


def service(name: str = "web", address: str | None = "10.96.0.7") -> Service:
    """Return a Service with the port 80, which is called `http`."""
    spec = {"clusterIP": address, "ports": [{"name": "http", "port": 80}]}
    return cast("Service", Service.from_dict({"metadata": _metadata(name), "spec": spec}))


def secret(name: str = "web-tls", **data: str) -> Secret:
    """Return a TLS Secret; without data, one with a certificate and a key."""
    content = data or {"tls.crt": "a certificate", "tls.key": "a key"}
    encoded = {part: base64.b64encode(text.encode()).decode() for part, text in content.items()}
    made = {"metadata": _metadata(name), "type": "kubernetes.io/tls", "data": encoded}
    return cast("Secret", Secret.from_dict(made))


def objects(*things: Ingress | Service | Secret) -> Objects:
    """Return a cluster with just these."""
    return Objects(
        ingresses=[thing for thing in things if isinstance(thing, Ingress)],
        services={key(thing): thing for thing in things if isinstance(thing, Service)},
        secrets={key(thing): thing for thing in things if isinstance(thing, Secret)},
    )


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}"}
