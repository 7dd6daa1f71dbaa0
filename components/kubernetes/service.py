"""The way in: a Service with a fixed port on every node.

Owns the port and the address that clients are told. Leaves to `workload` which pods answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """What a Service needs."""

    namespace: pulumi.Input[str]
    """Namespace of the Service."""
    service_name: str
    """Physical name, and so its DNS name within the cluster."""
    pod_labels: Mapping[str, str]
    """Labels of the pods that answer."""
    port: int
    """Port of the Service and of the container."""
    node_port: int
    """Port on every node, 30000 to 32767."""


class Service(pulumi.ComponentResource):
    """A NodePort Service in front of the server's pods."""

    node_port: pulumi.Output[int]
    """Port on every node, known once a pod answers behind it."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Service", name, None, opts)
        service = kubernetes.core.v1.Service(
            name,
            metadata={"name": args.service_name, "namespace": args.namespace},
            spec={
                "type": "NodePort",
                "selector": args.pod_labels,
                "ports": [
                    {
                        "name": "http",
                        "port": args.port,
                        "target_port": args.port,
                        "node_port": args.node_port,
                        "protocol": "TCP",
                    }
                ],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.node_port = service.spec.ports[0].node_port
        self.register_outputs({"node_port": self.node_port})
