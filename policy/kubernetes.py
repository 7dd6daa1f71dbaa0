"""What holds for everything in Kubernetes but the inside of pods."""

import re
from collections.abc import Iterator

from policy.resource import UNKNOWN, Resource, at, differs, entry, items, said
from policy.rule import rule

_WITHOUT_NAMESPACE = re.compile(
    r"Cluster[A-Z].*|.*Class|(Mutating|Validating).*|CSI(Driver|Node)|Namespace|Node|PersistentVolume|VolumeAttachment"
    r"|CustomResourceDefinition|APIService|FlowSchema|PriorityLevelConfiguration|CertificateSigningRequest|ServiceCIDR"
    r"|IPAddress|ResourceSlice|DeviceTaintRule|StorageVersionMigration|PodSecurityPolicy|AuditSink"
    r"|Chart|ConfigFile|ConfigGroup|Directory"
)
"""Kinds without a namespace, others' as well, such as ClusterIssuer, and components, which only hold objects."""
_RELEASE = "kubernetes:helm.sh/v3:Release"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_LOAD_BALANCER = ("networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type")
"""Annotations by which GKE is told that a load balancer is internal; the second is the older one."""
_CERTIFICATES = ("networking.gke.io/managed-certificates", "ingress.gcp.kubernetes.io/pre-shared-cert")
"""Annotations by which GKE is told which certificates an Ingress has, where they are not in Secrets."""


@rule("kubernetes:*")
def objects_have_a_namespace_of_their_own(thing: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.6.4: nothing is in the namespace `default`."""
    path = "namespace" if thing.type == _RELEASE else "metadata.namespace"
    namespace = thing.at(path)
    if namespace in (None, "default") and not _WITHOUT_NAMESPACE.fullmatch(thing.kind):
        yield f"{path} is {said(namespace)}: name a namespace of the application's own"


@rule("kubernetes:core/v1:Namespace")
def namespaces_enforce_pod_security(namespace: Resource) -> Iterator[str]:
    """CIS Kubernetes 5.2.1, Pod Security Standards: Kubernetes itself turns away pods that are not restricted."""
    level = entry(namespace.at("metadata.labels"), _ENFORCE)
    if differs(level, "restricted"):
        yield f"the label {_ENFORCE} is {said(level)}: set it to restricted"


@rule("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
def servers_are_probed(server: Resource) -> Iterator[str]:
    """kube-score container probes: Kubernetes knows when a server is ready and when it hangs."""
    serving = items(server.at("spec.template.spec.containers"))
    # One is enough: what serves beside the server must not take it out of service.
    if serving and all(at(container, "readinessProbe") is None for container in serving):
        yield "no container has a readinessProbe: give one, such as an httpGet of the server's health address"
    for container in serving:
        if at(container, "livenessProbe") is None:
            name = said(at(container, "name"))
            yield f"container {name} has no livenessProbe: give it one, such as an httpGet of its health address"


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
    types.append(service.at("spec.loadBalancerClass"))  # GKE's is networking.gke.io/l4-regional-internal
    return UNKNOWN in types or any(str(one).lower().endswith("internal") for one in types)


@rule("kubernetes:networking.k8s.io/v1:Ingress")
def ingresses_have_tls(ingress: Resource) -> Iterator[str]:
    """NSA/CISA hardening guide: what comes from outside comes encrypted, for every host."""
    if any(entry(ingress.at("metadata.annotations"), name) for name in _CERTIFICATES):
        return
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
