"""Single resources that look as if they had a fault and have none: the rule, the resource, what is changed in it."""

from pulumi_policy import ResourceValidationPolicy

from policy import google, grants, kubernetes, pods, rbac
from tests.policy.faults_google import networks
from tests.policy.faults_kubernetes import CONTAINER, SPEC
from tests.policy.resources import Faults

WILDCARD = [{"hosts": ["*.b.example"]}]
INTERNAL: Faults = {"metadata.annotations": {"networking.gke.io/load-balancer-type": "Internal"}}
EVERYWHERE: Faults = {"sourceRanges": ["0.0.0.0/0"]}
OPEN_MATCH: Faults = {"match.srcIpRanges": ["0.0.0.0/0"]}
POOL = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a-project.svc.id.goog"

PASSING: list[tuple[ResourceValidationPolicy, str, Faults]] = [
    (kubernetes.ingresses_have_tls, "ingress", {"spec.rules": [{"host": "a.b.example"}], "spec.tls": WILDCARD}),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.tls": [{"secretName": "tls"}]}),
    *(
        (kubernetes.ingresses_have_tls, "ingress", {"spec.tls": None, "metadata.annotations": {name: "a-certificate"}})
        for name in ("networking.gke.io/managed-certificates", "ingress.gcp.kubernetes.io/pre-shared-cert")
    ),
    (kubernetes.services_are_not_public, "service", {**INTERNAL, "spec.type": "LoadBalancer"}),
    (
        kubernetes.services_are_not_public,
        "service",
        {"spec.type": "LoadBalancer", "spec.loadBalancerClass": "networking.gke.io/l4-regional-internal"},
    ),
    (kubernetes.objects_have_a_namespace_of_their_own, "issuer", {}),
    (
        pods.pods_have_no_token_unless_asked,
        "server",
        {f"{SPEC}.automountServiceAccountToken": True, f"{SPEC}.serviceAccountName": "server"},
    ),
    (
        pods.containers_gain_no_privileges,
        "server",
        {f"{CONTAINER}.securityContext.capabilities.add": ["NET_BIND_SERVICE"]},
    ),
    (rbac.roles_name_what_they_allow, "role", {"rules.0.verbs": ["get", "list", "watch"]}),
    (google.databases_are_closed_to_the_internet, "database", networks("10.0.0.0/8", "11.0.0.0/8")),
    (google.firewalls_are_closed_to_the_internet, "firewall", {**EVERYWHERE, "allows": [], "denies": ["all"]}),
    (google.firewalls_are_closed_to_the_internet, "firewall", {**EVERYWHERE, "direction": "EGRESS"}),
    *(
        (google.firewall_policies_are_closed_to_the_internet, "firewall-policy", {**OPEN_MATCH, field: value})
        for field, value in (("action", "deny"), ("direction", "EGRESS"), ("disabled", True))
    ),
    (grants.service_accounts_are_lent_to_pods_only, "lend", {"member": f"{POOL}/subject/ns/mlflow/sa/server"}),
]
WITHOUT_NAMESPACE = (
    *("helm.sh/v3:Chart", "helm.sh/v4:Chart", "yaml:ConfigFile", "yaml:ConfigGroup", "yaml/v2:ConfigFile"),
    *("yaml/v2:ConfigGroup", "kustomize:Directory", "kustomize/v2:Directory", "core/v1:Namespace", "core/v1:Node"),
    *("gateway.networking.k8s.io/v1:GatewayClass", "snapshot.storage.k8s.io/v1:VolumeSnapshotClass"),
    *("cloud.google.com/v1:ComputeClass", "storage.k8s.io/v1:StorageClass", "storage.k8s.io/v1:CSIDriver"),
    *("resource.k8s.io/v1:ResourceSlice", "resource.k8s.io/v1alpha2:ResourceClass"),
    *("resource.k8s.io/v1alpha3:DeviceTaintRule", "storagemigration.k8s.io/v1alpha1:StorageVersionMigration"),
    *("policy/v1beta1:PodSecurityPolicy", "auditregistration.k8s.io/v1alpha1:AuditSink"),
    *("admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding", "rbac.authorization.k8s.io/v1:ClusterRole"),
)
"""Types of what is in no namespace, and of components, whose objects are looked at one by one."""
