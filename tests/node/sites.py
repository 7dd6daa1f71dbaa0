"""Kubernetes objects that bring a host to a server: Ingress, TLS Secret, Services, pods."""

import base64
from typing import Any

from tests.node import web, workload

NAMESPACE = "way-in"


def named(kind: str, name: str, version: str = "v1", namespace: str = NAMESPACE, **content: object) -> dict[str, Any]:
    """Return an object of a namespace."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}


def secret(host: str, certificate: bytes, key: bytes) -> dict[str, Any]:
    """Return the TLS Secret of a host, which is called after it."""
    data = {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()}
    return named("Secret", host, type="kubernetes.io/tls", data=data)


def secret_of(host: str, pair: web.KeyPair) -> dict[str, Any]:
    """Return the TLS Secret of a host with a key pair."""
    return secret(host, pair.certificate.read_bytes(), pair.key.read_bytes())


def ingress(
    name: str, host: str, *, service: str | None = None, path: str = "/", kind: str = "Prefix", **annotations: str
) -> dict[str, Any]:
    """Return an Ingress of a host over TLS, by default to the Service that is called as the Ingress.

    Annotations are those of nginx, without their prefix and with underscores.
    """
    backend = {"service": {"name": service or name, "port": {"name": "http"}}}
    spec = {
        "ingressClassName": "nginx",
        "tls": [{"hosts": [host], "secretName": host}],
        "rules": [{"host": host, "http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}}],
    }
    made = named("Ingress", name, "networking.k8s.io/v1", spec=spec)
    prefixed = {f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": text for key, text in annotations.items()}
    made["metadata"]["annotations"] = prefixed
    return made


def machine(address: str, port: int) -> list[dict[str, Any]]:
    """Return the Service `machine`, which leads to a server on this machine."""
    slices = named(
        "EndpointSlice",
        "machine",
        "discovery.k8s.io/v1",
        addressType="IPv4",
        endpoints=[{"addresses": [address]}],
        ports=[{"name": "http", "port": port}],
    )
    slices["metadata"]["labels"] = {"kubernetes.io/service-name": "machine"}
    return [named("Service", "machine", spec={"ports": [{"name": "http", "port": 80, "targetPort": port}]}), slices]


def pods(replicas: int, namespace: str = NAMESPACE, **service: str) -> list[dict[str, Any]]:
    """Return the Deployment `pods`, which answers any method on /health, with its Service."""
    template = {
        "metadata": {"labels": workload.SELECTOR},
        "spec": workload.pod(["-conf", "/etc/probe/Corefile"]),
    }
    deployment = {"replicas": replicas, "selector": {"matchLabels": workload.SELECTOR}, "template": template}
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return [
        named("Secret", "probe", namespace=namespace, stringData={"Corefile": workload.corefile({})}),
        named("ConfigMap", "probe", namespace=namespace, data={"COLOUR": "green"}),
        named("Deployment", "pods", "apps/v1", namespace, spec=deployment),
        named("Service", "pods", namespace=namespace, spec={"selector": workload.SELECTOR, "ports": ports, **service}),
    ]
