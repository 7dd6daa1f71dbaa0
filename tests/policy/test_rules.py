"""Each rule about a single resource: one that meets it, and the same with a fault."""

from typing import Any

import pytest
from pulumi_policy import ResourceValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy import google, grants, images, kubernetes, pods
from policy.pack import POLICIES
from policy.secrets import secrets_are_marked
from tests.policy.resources import STACK, Faults, violations, with_faults

Row = tuple[ResourceValidationPolicy, str, Faults, str]

NETWORKS = "settings.ipConfiguration.authorizedNetworks"
SPEC = "spec.template.spec"
CONTAINER = f"{SPEC}.containers.0"
NIGHTLY = "spec.jobTemplate.spec.template.spec.containers.0"


def networks(*values: str) -> Faults:
    """Return authorized networks."""
    return {NETWORKS: [{"value": value} for value in values]}


GOOGLE: list[Row] = [
    (google.databases_are_closed_to_the_internet, "database", networks("0.0.0.0/0"), "0.0.0.0/0"),
    (google.databases_are_closed_to_the_internet, "database", networks("0.0.0.0/1", "128.0.0.0/1"), "0.0.0.0/0"),
    (google.databases_are_closed_to_the_internet, "database", networks("16.0.0.0/5"), "16.0.0.0/5"),
    (google.databases_are_closed_to_the_internet, "database", networks("::/0"), "::/0"),
    (google.databases_are_closed_to_the_internet, "database", networks("everywhere"), "'everywhere'"),
    (
        google.databases_take_encrypted_connections_only,
        "database",
        {"settings.ipConfiguration.sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"},
        "sslMode is ALLOW_UNENCRYPTED_AND_ENCRYPTED: set it to ENCRYPTED_ONLY",
    ),
    (
        google.databases_take_encrypted_connections_only,
        "database",
        {"settings.ipConfiguration.sslMode": None},
        "sslMode is not set",
    ),
    (google.buckets_have_uniform_access, "bucket", {"uniformBucketLevelAccess": None}, "is not set"),
    (google.buckets_have_uniform_access, "bucket", {"uniformBucketLevelAccess": False}, "is false"),
    (google.buckets_prevent_public_access, "bucket", {"publicAccessPrevention": "inherited"}, "is inherited"),
    (grants.nothing_is_granted_to_everybody, "grant", {"member": "allUsers"}, "member names allUsers"),
    (
        grants.nothing_is_granted_to_everybody,
        "grant",
        {"policyData": '{"members": ["allAuthenticatedUsers"]}'},
        "allAuthenticatedUsers",
    ),
    (grants.nothing_is_granted_to_everybody, "bucket", {"predefinedAcl": "publicRead"}, "publicRead"),
    (grants.roles_are_narrow, "grant", {"role": "roles/owner"}, "roles/owner"),
    (grants.roles_are_narrow, "grant", {"role": "roles/editor"}, "roles/editor"),
    (grants.roles_are_narrow, "grant", {"role": "roles/storage.admin"}, "roles/storage.admin"),
    (grants.roles_are_narrow, "grant", {"policyData": '{"role": "roles/iam.admin"}'}, "roles/iam.admin"),
    (
        grants.service_accounts_are_lent_to_pods_only,
        "lend",
        {"role": "roles/iam.serviceAccountTokenCreator"},
        "serviceAccountTokenCreator",
    ),
]
KUBERNETES: list[Row] = [
    (kubernetes.objects_have_a_namespace_of_their_own, "service", {"metadata.namespace": None}, "is not set"),
    (kubernetes.objects_have_a_namespace_of_their_own, "server", {"metadata.namespace": "default"}, "is default"),
    (kubernetes.namespaces_enforce_pod_security, "namespace", {"metadata.labels": None}, "enforce is not set"),
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
    (kubernetes.services_are_not_public, "service", {"spec.type": "LoadBalancer"}, "is LoadBalancer"),
    (kubernetes.services_are_not_public, "service", {"spec.externalIPs": ["192.0.2.1"]}, "192.0.2.1"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.tls": None}, "mlflow.example has no TLS"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.rules": [{"host": "other.example"}]}, "other.example"),
    (kubernetes.ingresses_have_tls, "ingress", {"spec.rules": [{}]}, "(any)"),
]
PODS: list[Row] = [
    (pods.pods_run_as_non_root, "server", {f"{SPEC}.securityContext.runAsNonRoot": None}, "not set: set it to true"),
    (pods.pods_run_as_non_root, "server", {f"{CONTAINER}.securityContext.runAsNonRoot": False}, "runAsNonRoot false"),
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
    (
        pods.containers_gain_no_privileges,
        "job",
        {f"{CONTAINER}.securityContext.capabilities": {"drop": ["CHOWN"]}},
        "drops ['CHOWN']",
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
    (pods.containers_state_their_resources, "server", {f"{CONTAINER}.resources": None}, "no resources.requests.cpu"),
    (pods.containers_state_their_resources, "server", {f"{CONTAINER}.resources.limits": None}, "limits.memory"),
    (
        pods.containers_state_their_resources,
        "server",
        {f"{SPEC}.initContainers": [{"name": "first", "image": "a:1"}]},
        "container first has no resources.requests.cpu",
    ),
    (
        pods.credentials_come_from_secrets,
        "server",
        {f"{CONTAINER}.env": [{"name": "DB_PASSWORD", "value": "hunter2"}]},
        "DB_PASSWORD in the open",
    ),
    (images.images_have_a_fixed_tag, "server", {f"{CONTAINER}.image": "server"}, "no tag"),
    (images.images_have_a_fixed_tag, "server", {f"{CONTAINER}.image": "localhost:5000/server"}, "no tag"),
    (images.images_have_a_fixed_tag, "job", {f"{CONTAINER}.image": "server:latest"}, "latest"),
    (images.images_have_a_fixed_tag, "nightly", {f"{NIGHTLY}.image": "server@sha256:12"}, "no tag"),
]
ROWS = [*GOOGLE, *KUBERNETES, *PODS]
WITHOUT_ROWS = {secrets_are_marked, grants.grants_reach_one_resource}
"""Policies with tests of their own."""


@pytest.mark.parametrize(("policy", "name", "faults", "said"), ROWS, ids=[f"{r[0].name}-{r[3]}" for r in ROWS])
def test_a_fault_is_found_and_without_it_there_is_none(
    policy: ResourceValidationPolicy, name: str, faults: Faults, said: str
) -> None:
    type_, props = STACK[name]

    found = violations(policy, type_, with_faults(props, faults))

    assert violations(policy, type_, props) == []
    assert any(said in one for one in found), found
    assert all(one.startswith(f"{type_.rpartition(':')[2]} ") and one.count(": ") >= 2 for one in found), found


def test_every_rule_has_a_row() -> None:
    rules = {policy for policy in POLICIES if isinstance(policy, ResourceValidationPolicy)}

    assert {row[0] for row in ROWS} | WITHOUT_ROWS == rules


@pytest.mark.parametrize("scope", ["projects", "folder", "organizations"])
@pytest.mark.parametrize("kind", ["Member", "Binding", "Policy"])
def test_a_grant_reaches_one_resource(scope: str, kind: str) -> None:
    props = {"role": "roles/storage.objectUser", "member": "user:a@b.example"}

    assert violations(grants.grants_reach_one_resource, *STACK["grant"]) == []
    (said,) = violations(grants.grants_reach_one_resource, f"gcp:{scope}/iAM{kind}:IAM{kind}", props)
    assert "roles/storage.objectUser on a whole" in said


def test_a_token_may_be_asked_for_with_an_account_of_its_own() -> None:
    asked: dict[str, Any] = {
        f"{SPEC}.automountServiceAccountToken": True,
        f"{SPEC}.serviceAccountName": "server",
    }
    type_, props = STACK["server"]

    assert violations(pods.pods_have_no_token_unless_asked, type_, with_faults(props, asked)) == []


@pytest.mark.parametrize("image", ["localhost:5000/server:3.17.2", "server:3.17.2-b3f12979672c", "server:v1"])
def test_a_tag_that_stays_is_enough(image: str) -> None:
    type_, props = STACK["server"]

    assert violations(images.images_have_a_fixed_tag, type_, with_faults(props, {f"{CONTAINER}.image": image})) == []


@pytest.mark.parametrize(
    ("policy", "name", "path"),
    [
        (google.databases_take_encrypted_connections_only, "database", "settings.ipConfiguration.sslMode"),
        (google.databases_are_closed_to_the_internet, "database", f"{NETWORKS}.0.value"),
        (kubernetes.objects_have_a_namespace_of_their_own, "server", "metadata.namespace"),
        (kubernetes.ingresses_have_tls, "ingress", "spec.rules.0.host"),
        (images.images_have_a_fixed_tag, "server", f"{CONTAINER}.image"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_a_preview_cannot_know_is_left_to_the_update(
    policy: ResourceValidationPolicy, name: str, path: str
) -> None:
    type_, props = STACK[name]
    unknown = unknown_checking_proxy(with_faults(props, {path: UNKNOWN_STRING_VALUE}))

    assert violations(policy, type_, unknown) == []
