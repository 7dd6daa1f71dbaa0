"""The Service: one stable name within the cluster and, without an Ingress, one port on every node.

Owns how the server is reached. Leaves to `address` what clients are told, to `workload` which pods answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import ServicePortArgsDict


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
    node_port: int | None
    """Port on every node, 30000 to 32767; None for none."""
    annotations: Mapping[str, str]
    """Annotations of the Service."""


class Service(pulumi.ComponentResource):
    """A Service in front of the server's pods: NodePort where it has a port on every node, else ClusterIP."""

    name: pulumi.Output[str]
    """Its name, known once a pod answers behind it."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Service", name, None, opts)
        port: ServicePortArgsDict = {
            "name": "http",
            "port": args.port,
            "target_port": args.port,
            "protocol": "TCP",
        }
        if args.node_port is not None:
            port["node_port"] = args.node_port
        service = kubernetes.core.v1.Service(
            name,
            metadata={"name": args.service_name, "namespace": args.namespace, "annotations": args.annotations},
            spec={
                "type": "ClusterIP" if args.node_port is None else "NodePort",
                "selector": args.pod_labels,
                "ports": [port],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = service.metadata.name
        self.register_outputs({"name": self.name})
