"""The way in from outside the cluster: an Ingress that takes TLS only, and its certificate.

Owns what GKE's and nginx's controllers have to be told so that large artifacts get through. Leaves the controller, and
the DNS name that points to it, to whoever runs the cluster.
"""

import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.networking.v1 import HTTPIngressPathArgsDict, IngressSpecArgsDict

from components.kubernetes.address import Address, HostAddress

TLS_SECRET = "mlflow-tls"  # noqa: S105 - the name of a Secret
"""Secret of the certificate; made here, or by others such as cert-manager."""

_OF_GKE = ("gce", "gce-internal")
_SLOWEST_SECONDS = 3600  # of one request: an artifact of several GiB
_DRAIN_SECONDS = 60  # for which a pod that goes may finish what it was asked
# Until it has an address: a load balancer of Google's is built for it, in a new project for more than ten minutes.
_TIMEOUTS = pulumi.CustomTimeouts(create="30m", update="30m")


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """What an Ingress needs."""

    namespace: pulumi.Input[str]
    """Namespace of the Ingress."""
    app: str
    """Name of the Ingress and of the Service behind it."""
    port: int
    """Port of the Service."""
    address: HostAddress
    """The host, its class and its certificate."""


class Ingress(pulumi.ComponentResource):
    """An Ingress for one host, over TLS only."""

    host: pulumi.Output[str]
    """The host, known once the controller serves it."""

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlflow:kubernetes:Ingress", name, None, opts)
        if args.address.ingress_class == "gce":
            pulumi.log.warn(
                f"the server will answer the whole internet at https://{args.address.host}, since mlflow:ingressClass"
                " is 'gce'; write gce-internal to keep it within your network",
                self,
            )
        if _of_gke(args.address):
            self._backend(name, args)
        secret = self._certificate(name, args)
        ingress = self._ingress(name, args, secret)
        self.host = ingress.status.apply(lambda _: args.address.host)
        self.register_outputs({"host": self.host})

    def _backend(self, name: str, args: IngressArgs) -> None:
        kubernetes.apiextensions.CustomResource(
            f"{name}-backend",
            api_version="cloud.google.com/v1",
            kind="BackendConfig",
            metadata={"name": args.app, "namespace": args.namespace},
            spec={
                # Without a path of its own the load balancer asks for `/`, which basic-auth answers with 401.
                "healthCheck": {"type": "HTTP", "port": args.port, "requestPath": "/health"},
                "timeoutSec": _SLOWEST_SECONDS,
                "connectionDraining": {"drainingTimeoutSec": _DRAIN_SECONDS},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _certificate(self, name: str, args: IngressArgs) -> pulumi.Output[str]:
        if args.address.certificate is None or args.address.key is None:
            return pulumi.Output.from_input(TLS_SECRET)
        return kubernetes.core.v1.Secret(
            f"{name}-tls",
            metadata={"name": TLS_SECRET, "namespace": args.namespace},
            type="kubernetes.io/tls",
            string_data={"tls.crt": args.address.certificate, "tls.key": args.address.key},
            opts=pulumi.ResourceOptions(parent=self),
        ).metadata.name

    def _ingress(self, name: str, args: IngressArgs, secret: pulumi.Output[str]) -> kubernetes.networking.v1.Ingress:
        spec: IngressSpecArgsDict = {
            "tls": [{"hosts": [args.address.host], "secret_name": secret}],
            "rules": [{"host": args.address.host, "http": {"paths": [_everything(args)]}}],
        }
        # GKE's controller goes by an annotation and passes over an Ingress that names its class in this field.
        if args.address.ingress_class is not None and not _of_gke(args.address):
            spec["ingress_class_name"] = args.address.ingress_class
        return kubernetes.networking.v1.Ingress(
            name,
            metadata={
                "name": args.app,
                "namespace": args.namespace,
                "annotations": _annotations(args.address),
            },
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=_TIMEOUTS),
        )


def service_annotations(address: Address, app: str) -> dict[str, str]:
    """Return what GKE's controller reads on the Service: its health check, and to send requests to pods directly."""
    if not _of_gke(address):
        return {}
    return {
        "cloud.google.com/backend-config": json.dumps({"default": app}),
        "cloud.google.com/neg": json.dumps({"ingress": True}),
    }


def farewell_seconds(address: Address) -> int:
    """Return for how long a pod that is asked to stop is still sent requests.

    A node needs about a second to hear of it; Google's load balancer, which sends to pods directly, much longer:
    cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing, under troubleshooting.
    """
    return 60 if _of_gke(address) else 5


def _of_gke(address: Address) -> bool:
    return isinstance(address, HostAddress) and address.ingress_class in _OF_GKE


def _everything(args: IngressArgs) -> HTTPIngressPathArgsDict:
    return {
        "path": "/",
        "path_type": "Prefix",
        "backend": {"service": {"name": args.app, "port": {"number": args.port}}},
    }


def _annotations(address: HostAddress) -> dict[str, str]:
    """Return what controllers are told: no plain HTTP, artifacts of any size, and time for them."""
    if _of_gke(address):
        return {
            "kubernetes.io/ingress.class": str(address.ingress_class),
            "kubernetes.io/ingress.allow-http": "false",
        }
    return {
        "nginx.ingress.kubernetes.io/force-ssl-redirect": "true",
        "nginx.ingress.kubernetes.io/proxy-body-size": "0",
        # Otherwise the controller's disk would hold each artifact first.
        "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": str(_SLOWEST_SECONDS),
        "nginx.ingress.kubernetes.io/proxy-send-timeout": str(_SLOWEST_SECONDS),
    }
