"""What holds for everything in Kubernetes but the inside of pods."""

import re
from collections.abc import Iterator

from policy.pods import containers
from policy.resource import UNKNOWN, Resource, at, differs, entry, items, said
from policy.rule import rule

_WITHOUT_NAMESPACE = frozenset(
    {
        *("Namespace", "Node", "PersistentVolume", "StorageClass", "VolumeAttachment", "CSIDriver", "CSINode"),
        *("CustomResourceDefinition", "APIService", "PriorityClass", "IngressClass", "RuntimeClass", "FlowSchema"),
        *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "MutatingAdmissionPolicy"),
        *("MutatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
        *("PriorityLevelConfiguration", "CertificateSigningRequest", "VolumeAttributesClass", "DeviceClass"),
        *("ServiceCIDR", "IPAddress"),
    }
)
_CLUSTER_WIDE = re.compile(r"Cluster[A-Z]")
"""How kinds are named that have no namespace, Kubernetes' own as well as others': ClusterRole, ClusterIssuer."""
_ENFORCE = "pod-security.kubernetes.io/enforce"
_LOAD_BALANCER = ("networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type")
"""Annotations by which GKE is told that a load balancer is internal; the second is the older one."""


@rule("kubernetes:*")
def objects_have_a_namespace_of_their_own(thing: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.6.4: nothing is in the namespace `default`."""
    if thing.kind in _WITHOUT_NAMESPACE or _CLUSTER_WIDE.match(thing.kind):
        return
    namespace = thing.at("metadata.namespace")
    if namespace in (None, "default"):
        yield f"metadata.namespace is {said(namespace)}: name a namespace of the application's own"


@rule("kubernetes:core/v1:Namespace")
def namespaces_enforce_pod_security(namespace: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.2.1, Pod Security Standards: Kubernetes itself turns away pods that are not restricted."""
    level = entry(namespace.at("metadata.labels"), _ENFORCE)
    if differs(level, "restricted"):
        yield f"the label {_ENFORCE} is {said(level)}: set it to restricted"


@rule("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
def servers_are_probed(server: Resource) -> Iterator[str]:
    """kube-score container probes: Kubernetes knows when a server is ready and when it hangs."""
    before = items(server.at("spec.template.spec.initContainers"))
    serving = [(name, container) for name, container in containers(server) if container not in before]
    # One is enough: what serves beside the server must not take it out of service.
    if serving and all(at(container, "readinessProbe") is None for _, container in serving):
        yield "no container has a readinessProbe: give one, such as an httpGet of the server's health address"
    for name, container in serving:
        if at(container, "livenessProbe") is None:
            yield f"{name} has no livenessProbe: give it one, such as an httpGet of its health address"


@rule("kubernetes:core/v1:Service")
def services_are_not_public(service: Resource) -> Iterator[str]:
    """NSA/CISA hardening guide, CVE-2020-8554: no address on the internet without TLS in front."""
    if service.at("spec.type") == "LoadBalancer" and not _is_internal(service):
        yield (
            "spec.type is LoadBalancer: take ClusterIP behind an Ingress with TLS, NodePort within a network, or the"
            f" annotation {_LOAD_BALANCER[0]}: Internal"
        )
    addresses = items(service.at("spec.externalIPs"))
    if addresses:
        yield f"spec.externalIPs is {addresses}: remove it"


def _is_internal(service: Resource) -> bool:
    """Tell whether only the cluster's network reaches a load balancer; one that a preview can't know is taken to be."""
    types = [entry(service.at("metadata.annotations"), name) for name in _LOAD_BALANCER]
    return UNKNOWN in types or "internal" in [str(one).lower() for one in types]


@rule("kubernetes:networking.k8s.io/v1:Ingress")
def ingresses_have_tls(ingress: Resource) -> Iterator[str]:
    """NSA/CISA hardening guide: what comes from outside comes encrypted, for every host."""
    listed = [at(one, "hosts") for one in items(ingress.at("spec.tls"))]
    # Kubernetes' reference of IngressTLS: left out, the hosts are those of the controller's wildcard.
    if UNKNOWN in (ingress.at("spec.tls"), *listed) or not all(listed):
        return
    encrypted = [host for hosts in listed for host in hosts]
    hosts = [at(one, "host") for one in items(ingress.at("spec.rules"))]
    for host in hosts or [None]:
        wildcard = f"*.{str(host).partition('.')[2]}"
        if not {host, wildcard} & set(encrypted) and UNKNOWN not in (host, *encrypted):
            yield f"the host {host or '(any)'} has no TLS: list it with its Secret in spec.tls"


POLICIES = (
    objects_have_a_namespace_of_their_own,
    namespaces_enforce_pod_security,
    servers_are_probed,
    services_are_not_public,
    ingresses_have_tls,
)
