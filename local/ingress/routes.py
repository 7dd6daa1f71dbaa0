"""Reads Ingresses: what each asks for, or why it can't be served. Pure.

The meaning of paths is that of https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types; annotations
are those of ingress-nginx.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from lightkube.models.core_v1 import ServicePort
from lightkube.models.networking_v1 import HTTPIngressPath, IngressSpec, IngressTLS
from lightkube.resources.core_v1 import Secret, Service
from lightkube.resources.networking_v1 import Ingress

from local.ingress import CLASS
from local.ingress.sites import Certificate, Limits, Location, Site

PREFIX = "nginx.ingress.kubernetes.io/"
BODY_SIZE, BUFFERING, READ_TIMEOUT, SEND_TIMEOUT = (
    f"{PREFIX}proxy-{name}" for name in ("body-size", "request-buffering", "read-timeout", "send-timeout")
)
RULES = {
    BODY_SIZE: r"\d{1,9}[kKmMgG]?",
    BUFFERING: r"on|off",
    READ_TIMEOUT: r"[1-9]\d{0,5}",
    SEND_TIMEOUT: r"[1-9]\d{0,5}",
}
PATH = re.compile(r"/[A-Za-z0-9._~/@:+,=!&*-]*")


class RefusedError(Exception):
    """An Ingress can't be served as it stands; the message names the field and the value."""


@dataclass(frozen=True)
class Objects:
    """What the cluster holds, the Services and Secrets by namespace and name."""

    ingresses: Sequence[Ingress]
    services: Mapping[str, Service]
    secrets: Mapping[str, Secret]


def key(thing: Ingress | Service | Secret) -> str:
    """Return an object's namespace and name."""
    if thing.metadata is None:
        raise ValueError("an object without metadata is none of a cluster's")
    return f"{thing.metadata.namespace}/{thing.metadata.name}"


def own(ingresses: Sequence[Ingress]) -> list[Ingress]:
    """Return the Ingresses of our class, the oldest first."""
    mine = [ingress for ingress in ingresses if ingress.spec and ingress.spec.ingressClassName == CLASS]
    return sorted(mine, key=lambda ingress: (_made(ingress), key(ingress)))


def _made(ingress: Ingress) -> datetime:
    made = ingress.metadata.creationTimestamp if ingress.metadata else None
    return made or datetime.max.replace(tzinfo=UTC)


def site(ingress: Ingress, objects: Objects) -> Site:
    """Return what an Ingress asks for.

    Raises:
        RefusedError: it asks for what is not there or not done here.

    """
    spec = ingress.spec or IngressSpec()
    if spec.defaultBackend:
        raise RefusedError("spec.defaultBackend is not served here: name a host and a path in spec.rules")
    namespace = key(ingress).partition("/")[0]
    limits = _limits(_annotations(ingress))
    hosts: dict[str, list[Location]] = {}
    for rule in spec.rules or []:
        if not rule.host:
            raise RefusedError("a rule without a host is not served here: set spec.rules[].host")
        paths = rule.http.paths if rule.http else []
        hosts.setdefault(rule.host, []).extend(_location(path, namespace, objects, limits) for path in paths)
    return Site(name=key(ingress), hosts=hosts, certificates=_certificates(spec.tls or [], hosts, namespace, objects))


def without_effect(ingress: Ingress) -> list[str]:
    """Return the annotations for ingress-nginx that are not known here."""
    return sorted(name for name in _annotations(ingress) if name.startswith(PREFIX) and name not in RULES)


def _annotations(ingress: Ingress) -> dict[str, str]:
    return cast("dict[str, str]", (ingress.metadata.annotations if ingress.metadata else None) or {})


def _limits(annotations: Mapping[str, str]) -> Limits:
    for name, rule in RULES.items():
        if name in annotations and not re.fullmatch(rule, annotations[name]):
            raise RefusedError(f"annotation {name} is {annotations[name]!r}: it has to match {rule}")
    given = Limits()
    return Limits(
        body_size=annotations.get(BODY_SIZE, given.body_size),
        request_buffering=annotations.get(BUFFERING, given.request_buffering),
        read_timeout=int(annotations.get(READ_TIMEOUT, given.read_timeout)),
        send_timeout=int(annotations.get(SEND_TIMEOUT, given.send_timeout)),
    )


def _location(at: HTTPIngressPath, namespace: str, objects: Objects, limits: Limits) -> Location:
    path = at.path or "/"
    if not PATH.fullmatch(path):
        raise RefusedError(f"path {path!r} is not served here: it has to match {PATH.pattern}")
    return Location(path=path, exact=at.pathType == "Exact", upstream=_upstream(at, namespace, objects), limits=limits)


def _upstream(at: HTTPIngressPath, namespace: str, objects: Objects) -> str | None:
    """Return a Service's address and port, None as long as it is not there."""
    wanted = at.backend.service
    if wanted is None:
        raise RefusedError(f"path {at.path!r} leads to a resource: only a Service is served here")
    service = objects.services.get(f"{namespace}/{wanted.name}")
    if service is None or service.spec is None:
        return None
    address = service.spec.clusterIP
    if not address or address == "None":
        raise RefusedError(f"Service {wanted.name} has no cluster address: it has to be of type ClusterIP or NodePort")
    numbers = [port.port for port in service.spec.ports or [] if _meant(port, at)]
    return f"{address}:{numbers[0]}" if numbers else None


def _meant(port: ServicePort, at: HTTPIngressPath) -> bool:
    wanted = at.backend.service.port if at.backend.service else None
    return wanted is not None and (port.name == wanted.name if wanted.name else port.port == wanted.number)


def _certificates(
    entries: Sequence[IngressTLS], hosts: Mapping[str, object], namespace: str, objects: Objects
) -> dict[str, Certificate]:
    found: dict[str, Certificate] = {}
    for entry in entries:
        for host in entry.hosts or hosts:
            if host in hosts:
                found[host] = _certificate(entry.secretName, namespace, objects)
    return found


def _certificate(secret_name: str | None, namespace: str, objects: Objects) -> Certificate:
    secret = objects.secrets.get(f"{namespace}/{secret_name}")
    if not secret_name or secret is None:
        raise RefusedError(f"there is no Secret {secret_name} of type kubernetes.io/tls in the namespace {namespace}")
    data = cast("dict[str, str]", secret.data or {})
    try:
        pem = {part: base64.b64decode(data.get(part, ""), validate=True) for part in ("tls.crt", "tls.key")}
    except binascii.Error as error:
        raise RefusedError(f"Secret {secret_name}: {error}") from error
    missing = [part for part, content in pem.items() if not content]
    if missing:
        raise RefusedError(f"Secret {secret_name} has no {' and no '.join(missing)}")
    return Certificate(name=f"{namespace}_{secret_name}", certificate=pem["tls.crt"], key=pem["tls.key"])
