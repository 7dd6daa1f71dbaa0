"""The Kubernetes layer: the tracking server itself, whose inputs are the outputs of the Google Cloud layer."""

from components.kubernetes.address import Address, HostAddress, NodeAddress
from components.kubernetes.tracking_server import APP, NAMESPACE, TrackingServer, TrackingServerArgs

__all__ = ["APP", "NAMESPACE", "Address", "HostAddress", "NodeAddress", "TrackingServer", "TrackingServerArgs"]
