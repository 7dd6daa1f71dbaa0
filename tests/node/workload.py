"""A small workload: CoreDNS as a web server (/health) that also asks DNS servers."""

from typing import Any

IMAGE = "localhost/node-test:1"
NAMESPACE = "probe"
WEB_PORT, DNS_PORT = 30080, 30053
SELECTOR = {"app": "probe"}
LABEL = "pod-security.kubernetes.io/enforce"


def corefile(zones: dict[str, tuple[str, int]]) -> str:
    """Return a configuration that asks the pod's own resolver, and for each zone the given server over TCP."""
    blocks = [
        f"{zone}:1053 {{\n forward . {address}:{port} {{\n  force_tcp\n }}\n}}\n"
        for zone, (address, port) in zones.items()
    ]
    return ".:1053 {\n errors\n health :8080\n forward . /etc/resolv.conf\n}\n" + "".join(blocks)


def objects(zones: dict[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """Return the workload: a restricted namespace, a Secret, a ConfigMap, a Deployment and a Service."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {LABEL: "restricted"}}},
        _named("v1", "Secret", stringData={"Corefile": corefile(zones)}),
        _named("v1", "ConfigMap", data={"COLOUR": "green"}),
        _named(
            "apps/v1",
            "Deployment",
            spec={
                "selector": {"matchLabels": SELECTOR},
                "template": {"metadata": {"labels": SELECTOR}, "spec": pod(["-conf", "/etc/probe/Corefile"])},
            },
        ),
        _named(
            "v1",
            "Service",
            spec={
                "type": "NodePort",
                "selector": SELECTOR,
                "ports": [
                    {"name": "web", "port": 80, "targetPort": 8080, "nodePort": WEB_PORT},
                    {"name": "dns", "port": 53, "targetPort": 1053, "nodePort": DNS_PORT, "protocol": "UDP"},
                ],
            },
        ),
    ]


def job() -> dict[str, Any]:
    """Return a Job that prints CoreDNS's version and ends."""
    spec = {**pod(["-version"]), "restartPolicy": "Never"}
    return _named("batch/v1", "Job", spec={"backoffLimit": 0, "template": {"spec": spec}})


def pod(arguments: list[str]) -> dict[str, Any]:
    """Return a pod specification that meets pod-security `restricted`."""
    volumes = {"config": {"secret": {"secretName": "probe"}}, "settings": {"configMap": {"name": "probe"}}}
    paths = {"config": "/etc/probe", "settings": "/etc/settings", "scratch": "/tmp"}  # noqa: S108 - in the container
    return {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "probe",
                "image": IMAGE,
                "args": arguments,
                "env": [{"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "probe", "key": "COLOUR"}}}],
                "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "128Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
                "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
                "volumeMounts": [{"name": name, "mountPath": path} for name, path in paths.items()],
            }
        ],
        "volumes": [
            {"name": "scratch", "emptyDir": {}},
            *({"name": name, **source} for name, source in volumes.items()),
        ],
    }


def _named(version: str, kind: str, **content: object) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "probe", "namespace": NAMESPACE},
        **content,
    }
