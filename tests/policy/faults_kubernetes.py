"""Faults of single resources in Kubernetes: the rule, the resource, what is wrong with it and what is said."""

from policy import images, kubernetes, pods, rbac
from tests.policy.faults_google import Row

SPEC = "spec.template.spec"
CONTAINER = f"{SPEC}.containers.0"
NIGHTLY = "spec.jobTemplate.spec.template.spec.containers.0"

KUBERNETES: list[Row] = [
    (kubernetes.objects_have_a_namespace_of_their_own, "service", {"metadata.namespace": None}, "is not set"),
    (kubernetes.objects_have_a_namespace_of_their_own, "server", {"metadata.namespace": "default"}, "is default"),
    (kubernetes.objects_have_a_namespace_of_their_own, "patch", {"metadata.namespace": None}, "is not set"),
    (kubernetes.objects_have_a_namespace_of_their_own, "release", {"namespace": None}, "prometheus: namespace is not"),
    (kubernetes.objects_have_a_namespace_of_their_own, "release", {"namespace": "default"}, "namespace is default"),
    (kubernetes.namespaces_enforce_pod_security, "namespace", {"metadata.labels": None}, "enforce is not set"),
    (
        kubernetes.namespaces_enforce_pod_security,
        "system",
        {"metadata.labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        "is privileged: set it to restricted",
    ),
    (
        kubernetes.namespaces_enforce_pod_security,
        "namespace",
        {"metadata.labels": {"pod-security.kubernetes.io/enforce": "baseline"}},
        "is baseline: set it to restricted",
    ),
    (
        kubernetes.servers_are_probed,
        "server",
        {f"{CONTAINER}.readinessProbe": None},
        "no container has a readinessProbe",
    ),
    (kubernetes.servers_are_probed, "server", {f"{CONTAINER}.livenessProbe": None}, "no livenessProbe"),
    (
        kubernetes.servers_are_probed,
        "server",
        {f"{SPEC}.containers": [{"name": "same"}], f"{SPEC}.initContainers": [{"name": "same"}]},
        "container same has no livenessProbe",
    ),
    (kubernetes.services_are_not_public, "service", {"spec.type": "LoadBalancer"}, "is LoadBalancer"),
    (
        kubernetes.services_are_not_public,
        "service",
        {"spec.type": "LoadBalancer", "spec.loadBalancerClass": "networking.gke.io/l4-regional-external"},
        "is LoadBalancer",
    ),
    (
        kubernetes.services_are_not_public,
        "service",
        {"spec.type": "LoadBalancer", "metadata.annotations": {"networking.gke.io/load-balancer-type": "External"}},
        "is LoadBalancer",
    ),
    (kubernetes.services_are_not_public, "service", {"spec.externalIPs": ["192.0.2.1"]}, "192.0.2.1"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.tls": None}, "mlflow.example has no TLS"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.rules": [{"host": "other.example"}]}, "other.example"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.rules": [{}]}, "(any)"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.tls.0.hosts": ["*.example.org"]}, "mlflow.example has no TLS"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.rules": [{"host": "a.mlflow.example"}]}, "a.mlflow.example"),
    (rbac.nobody_is_made_cluster_admin, "binding", {"roleRef.name": "cluster-admin"}, "is cluster-admin"),
    *(
        (rbac.nothing_is_bound_to_everybody, "binding", {"subjects.0.name": name}, f"subjects[0].name is {name}")
        for name in ("system:anonymous", "system:unauthenticated", "system:authenticated")
    ),
    (rbac.roles_name_what_they_allow, "role", {"rules.0.verbs": ["get", "*"]}, "rules[0] has *"),
    (
        rbac.roles_name_what_they_allow,
        "role",
        {"rules.0.verbs": ["*"], "rules.0.resources": ["pods"]},
        "rules[0] has * for verbs",
    ),
    (rbac.roles_name_what_they_allow, "role", {"rules.0.verbs": ["get", "delete"]}, "for resources, and allows ['del"),
]
PODS: list[Row] = [
    (pods.pods_run_as_non_root, "server", {f"{SPEC}.securityContext.runAsNonRoot": None}, "not set: set it to true"),
    (pods.pods_run_as_non_root, "server", {f"{CONTAINER}.securityContext.runAsNonRoot": False}, "runAsNonRoot false"),
    (pods.pods_run_as_non_root, "controller", {f"{SPEC}.securityContext.runAsNonRoot": False}, "runAsNonRoot false"),
    (pods.pods_run_as_non_root, "patch", {f"{CONTAINER}.securityContext": {"runAsNonRoot": False}}, "runAsNonRoot f"),
    (pods.pods_run_as_non_root, "job", {f"{SPEC}.securityContext.runAsUser": 0.0}, "runAsUser 0"),
    (pods.pods_have_a_seccomp_profile, "server", {f"{SPEC}.securityContext.seccompProfile": None}, "not set"),
    (
        pods.pods_have_a_seccomp_profile,
        "job",
        {f"{CONTAINER}.securityContext.seccompProfile.type": "Unconfined"},
        "Unconfined",
    ),
    (pods.containers_gain_no_privileges, "server", {f"{CONTAINER}.securityContext": None}, "Escalation not set"),
    (pods.containers_gain_no_privileges, "server", {f"{CONTAINER}.securityContext.privileged": True}, "is privileged"),
    (pods.containers_gain_no_privileges, "patch", {f"{CONTAINER}.securityContext.privileged": True}, "is privileged"),
    (
        pods.containers_gain_no_privileges,
        "job",
        {f"{CONTAINER}.securityContext.capabilities": {"drop": ["CHOWN"]}},
        "drops ['CHOWN']",
    ),
    (
        pods.containers_gain_no_privileges,
        "job",
        {f"{CONTAINER}.securityContext.capabilities.drop": [["ALL"]]},
        "drops [['ALL']]",
    ),
    (
        pods.containers_gain_no_privileges,
        "job",
        {f"{CONTAINER}.securityContext.capabilities.add": ["NET_BIND_SERVICE", "NET_RAW"]},
        "has the capabilities ['NET_RAW']",
    ),
    (
        pods.containers_gain_no_privileges,
        "nightly",
        {f"{NIGHTLY}.securityContext.capabilities.add": ["SYS_ADMIN"]},
        "SYS_ADMIN",
    ),
    (
        pods.containers_have_a_read_only_root,
        "nightly",
        {f"{NIGHTLY}.securityContext.readOnlyRootFilesystem": None},
        "not set",
    ),
    (pods.pods_share_nothing_with_their_node, "server", {f"{SPEC}.hostNetwork": True}, "hostNetwork is true"),
    (pods.pods_share_nothing_with_their_node, "server", {f"{SPEC}.hostPID": True}, "hostPID is true"),
    (
        pods.pods_share_nothing_with_their_node,
        "server",
        {f"{SPEC}.volumes": [{"name": "disk", "hostPath": {"path": "/var"}}]},
        "volume disk is the node's /var",
    ),
    (
        pods.pods_share_nothing_with_their_node,
        "server",
        {f"{CONTAINER}.ports": [{"containerPort": 80.0, "hostPort": 80.0}]},
        "port 80",
    ),
    (pods.pods_have_no_token_unless_asked, "job", {f"{SPEC}.automountServiceAccountToken": None}, "is not set"),
    (pods.pods_have_no_token_unless_asked, "job", {f"{SPEC}.automountServiceAccountToken": True}, "is true"),
    (
        pods.pods_have_no_token_unless_asked,
        "job",
        {f"{SPEC}.automountServiceAccountToken": None, f"{SPEC}.serviceAccountName": "server"},
        "with the ServiceAccount server: set it to false, or to true with a ServiceAccount of its own",
    ),
    (pods.containers_state_their_resources, "server", {f"{CONTAINER}.resources": None}, "no resources.requests.cpu"),
    (pods.containers_state_their_resources, "server", {f"{CONTAINER}.resources.limits": None}, "limits.memory"),
    (pods.containers_state_their_resources, "server", {f"{CONTAINER}.resources.limits.cpu": None}, "limits.cpu"),
    (
        pods.containers_state_their_resources,
        "server",
        {f"{SPEC}.initContainers": [{"name": "first", "image": "a:1"}]},
        "container first has no resources.requests.cpu",
    ),
    (images.images_have_a_fixed_tag, "server", {f"{CONTAINER}.image": None}, "not set with no tag"),
    (images.images_have_a_fixed_tag, "server", {f"{CONTAINER}.image": "server"}, "no tag"),
    (images.images_have_a_fixed_tag, "server", {f"{CONTAINER}.image": "localhost:5000/server"}, "no tag"),
    (images.images_have_a_fixed_tag, "job", {f"{CONTAINER}.image": "server:latest"}, "latest"),
    (images.images_have_a_fixed_tag, "patch", {f"{CONTAINER}.image": "server:latest"}, "latest"),
    *(
        (images.images_have_a_fixed_tag, "job", {f"{CONTAINER}.image": f"server:{tag}"}, f"the tag {tag}, which moves")
        for tag in (
            *("develop", "prod", "staging", "release", "HEAD", "latest-gpu", "Latest-2", "nightly-gpu", "main-gpu"),
            *("alpine", "slim", "mainline", "stable-alpine", "lts", "beta", "rc", "rolling", "unstable", "current"),
        )
    ),
    (images.images_have_a_fixed_tag, "nightly", {f"{NIGHTLY}.image": "server@sha256:12"}, "no tag"),
]
