"""Kubernetes objects that bring a host to a server: Ingress, TLS Secret, Services, pods."""

import base64
from typing import Any

from tests.production.ingress import web

NAMESPACE = "way-in"
IMAGE = "registry.k8s.io/coredns/coredns:v1.12.1"  # every node that kubeadm made has it; /health is a web page of it


def named(kind: str, name: str, version: str = "v1", **content: object) -> dict[str, Any]:
    """Return an object of a namespace."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **content}


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


def pods(replicas: int) -> list[dict[str, Any]]:
    """Return the Deployment `pods`, which answers any method on /health, with its Service."""
    labels = {"app": "pods"}
    container = {
        "name": "web",
        "image": IMAGE,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/coredns"}],
    }
    volume = {"name": "configuration", "configMap": {"name": "pods"}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": [volume]}}
    deployment = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return [
        named("ConfigMap", "pods", data={"Corefile": ".:1053 {\n health :8080\n}\n"}),
        named("Deployment", "pods", "apps/v1", spec=deployment),
        named("Service", "pods", spec={"selector": labels, "ports": ports}),
    ]
