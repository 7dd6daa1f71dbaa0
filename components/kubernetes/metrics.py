"""What Prometheus finds: a port of the pods that serves what the server writes down of its requests.

The server has a page of its own for that, behind its passwords and its list of hosts; Prometheus comes by a pod's
address and should need neither. No Service and no Ingress leads to the port.
"""

from pulumi_kubernetes.core.v1 import ContainerArgsDict, VolumeArgsDict, VolumeMountArgsDict

METRICS_PORT = 9090
"""Port of the metrics in every server pod."""
FOLDER = "/var/metrics"
"""Where the server writes what it counts."""
VOLUME: VolumeArgsDict = {"name": "metrics", "empty_dir": {}}
"""What is behind the folder; both containers share it."""
MOUNT: VolumeMountArgsDict = {"name": "metrics", "mount_path": FOLDER}
"""The folder as a container sees it."""
ANNOTATIONS = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": str(METRICS_PORT),
    "prometheus.io/path": "/metrics",
}
"""Annotations by which Prometheus finds the pods."""


def metrics_container(image: str) -> ContainerArgsDict:
    """Return the container that serves the metrics; `image` is the server's."""
    return {
        "name": "metrics",
        "image": image,
        "command": ["mlflow-metrics", FOLDER, str(METRICS_PORT)],
        "volume_mounts": [MOUNT],
        "ports": [{"name": "metrics", "container_port": METRICS_PORT, "protocol": "TCP"}],
        "liveness_probe": {"http_get": {"path": "/metrics", "port": METRICS_PORT}, "timeout_seconds": 5},
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"cpu": "200m", "memory": "128Mi"},
        },
    }
