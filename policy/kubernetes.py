"""What holds for everything in Kubernetes but the inside of pods."""

from collections.abc import Iterator
from typing import Any

from policy.pods import containers
from policy.resource import UNKNOWN, Resource, at, differs, items, said
from policy.rule import rule

_WITHOUT_NAMESPACE = frozenset(
    {
        *("Namespace", "Node", "PersistentVolume", "StorageClass", "VolumeAttachment", "CSIDriver", "CSINode"),
        *("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "APIService", "PriorityClass"),
        *("IngressClass", "RuntimeClass", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterTrustBundle", "FlowSchema"),
        *("PriorityLevelConfiguration", "CertificateSigningRequest"),
    }
)
_ENFORCE = "pod-security.kubernetes.io/enforce"


@rule("kubernetes:*")
def objects_have_a_namespace_of_their_own(thing: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.6.4: nothing is in the namespace `default`."""
    if thing.kind in _WITHOUT_NAMESPACE:
        return
    namespace = thing.at("metadata.namespace")
    if namespace in (None, "default"):
        yield f"metadata.namespace is {said(namespace)}: name a namespace of the application's own"


@rule("kubernetes:core/v1:Namespace")
def namespaces_enforce_pod_security(namespace: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.2.1, Pod Security Standards: Kubernetes itself turns away pods that are not restricted."""
    labels: Any = namespace.at("metadata.labels") or {}
    if labels is UNKNOWN:
        return
    level = labels.get(_ENFORCE)
    if differs(level, "restricted"):
        yield f"the label {_ENFORCE} is {said(level)}: set it to restricted"


@rule("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
def servers_are_probed(server: Resource) -> Iterator[str]:
    """kube-score container probes: Kubernetes knows when a server is ready and when it hangs."""
    before = items(server.at("spec.template.spec.initContainers"))
    serving = [(name, container) for name, container in containers(server) if container not in before]
    # One is enough: what serves beside the server must not take it out of service.
    if all(container.get("readinessProbe") is None for _, container in serving):
        yield "no container has a readinessProbe: give one, such as an httpGet of the server's health address"
    for name, container in serving:
        if container.get("livenessProbe") is None:
            yield f"{name} has no livenessProbe: give it one, such as an httpGet of its health address"


@rule("kubernetes:core/v1:Service")
def services_are_not_public(service: Resource) -> Iterator[str]:
    """NSA/CISA hardening guide, CVE-2020-8554: no address on the internet without TLS in front."""
    kind = service.at("spec.type")
    if kind == "LoadBalancer":
        yield "spec.type is LoadBalancer: take ClusterIP behind an Ingress with TLS, or NodePort within a network"
    addresses = items(service.at("spec.externalIPs"))
    if addresses:
        yield f"spec.externalIPs is {addresses}: remove it"


@rule("kubernetes:networking.k8s.io/v1:Ingress")
def ingresses_have_tls(ingress: Resource) -> Iterator[str]:
    """NSA/CISA hardening guide: what comes from outside comes encrypted, for every host."""
    if ingress.at("spec.tls") is UNKNOWN:
        return
    encrypted = [host for entry in items(ingress.at("spec.tls")) for host in items(at(entry, "hosts"))]
    hosts = [at(entry, "host") for entry in items(ingress.at("spec.rules"))]
    for host in hosts or [None]:
        if host not in encrypted and UNKNOWN not in (host, *encrypted):
            yield f"the host {host or '(any)'} has no TLS: list it with its Secret in spec.tls"


POLICIES = (
    objects_have_a_namespace_of_their_own,
    namespaces_enforce_pod_security,
    servers_are_probed,
    services_are_not_public,
    ingresses_have_tls,
)
