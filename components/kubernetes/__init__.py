"""The Kubernetes layer: the tracking server itself, whose inputs are the outputs of the Google Cloud layer."""

from components.kubernetes.tracking_server import TrackingServer, TrackingServerArgs

__all__ = ["TrackingServer", "TrackingServerArgs"]
