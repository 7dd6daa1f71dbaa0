"""Each rule about a single resource: one that meets it, and the same with a fault."""

import re
from pathlib import Path

import pulumi_gcp
import pytest
from pulumi_policy import ResourceValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy import google, grants, images, kubernetes, pods, secrets
from policy.pack import POLICIES
from settings.google import authorized_networks
from tests.policy.example import STACK
from tests.policy.faults_google import GOOGLE, NETWORKS, networks
from tests.policy.faults_kubernetes import CONTAINER, KUBERNETES, PODS, SPEC
from tests.policy.passing import PASSING, WITHOUT_NAMESPACE
from tests.policy.resources import Faults, violations, with_faults

ROWS = [*GOOGLE, *KUBERNETES, *PODS]
WITHOUT_ROWS = {secrets.secrets_are_marked, secrets.credentials_come_from_secrets, grants.grants_reach_one_resource}
"""Policies with tests of their own."""


@pytest.mark.parametrize(("policy", "name", "faults", "said"), ROWS, ids=[f"{r[0].name}-{r[3]}" for r in ROWS])
def test_a_fault_is_found_and_without_it_there_is_none(
    policy: ResourceValidationPolicy, name: str, faults: Faults, said: str
) -> None:
    type_, props = STACK[name]

    found = violations(policy, type_, with_faults(props, faults))

    assert violations(policy, type_, props) == []
    assert any(said in one for one in found), found
    kind = type_.rpartition(":")[2].removesuffix("Patch")
    assert all(one.startswith(f"{kind} ") and one.count(": ") >= 2 for one in found), found


def test_every_rule_has_a_row() -> None:
    rules = {policy for policy in POLICIES if isinstance(policy, ResourceValidationPolicy)}

    assert {row[0] for row in ROWS} | WITHOUT_ROWS == rules


@pytest.mark.parametrize(
    ("token", "reach"),
    [
        ("projects/iAM{}:IAM{}", "project"),
        ("folder/iAM{}:IAM{}", "folder"),
        ("organizations/iAM{}:IAM{}", "organization"),
        ("billing/accountIam{0}:AccountIam{0}", "billing account"),
    ],
)
@pytest.mark.parametrize("kind", ["Member", "Binding", "Policy"])
def test_a_grant_reaches_one_resource(token: str, reach: str, kind: str) -> None:
    props = {"role": "roles/storage.objectUser", "member": "user:a@b.example"}

    assert violations(grants.grants_reach_one_resource, *STACK["grant"]) == []
    (said,) = violations(grants.grants_reach_one_resource, f"gcp:{token.format(kind, kind)}", props)
    assert f"roles/storage.objectUser on a whole {reach}" in said


def grant_types() -> list[str]:
    """Return the types by which the installed provider grants roles."""
    registered = (Path(pulumi_gcp.__file__)).read_text()
    found = re.findall(r"gcp:\w+/\w+:\w*I[Aa][Mm](?:Member|Binding|Policy)\b", registered)
    assert {"gcp:secretmanager/secretIamMember:SecretIamMember", STACK["grant"][0]} <= {*found}
    return sorted({*found})


def test_every_type_that_grants_roles_is_looked_at() -> None:
    props = {"role": "roles/owner"}

    assert [type_ for type_ in grant_types() if not violations(grants.roles_are_narrow, type_, props)] == []


@pytest.mark.parametrize(
    "role", ["roles/storage.objectAdmin", "roles/iam.serviceAccountViewer", "projects/a-project/roles/runAdmin"]
)
def test_a_role_that_rules_objects_only_or_looks_and_one_of_the_project_s_own_may_be_granted(role: str) -> None:
    type_, props = STACK["grant"]

    assert violations(grants.roles_are_narrow, type_, {**props, "role": role}) == []


@pytest.mark.parametrize(("policy", "name", "faults"), PASSING, ids=lambda value: getattr(value, "name", None))
def test_what_opens_nothing_is_let_through(policy: ResourceValidationPolicy, name: str, faults: Faults) -> None:
    type_, props = STACK[name]

    assert violations(policy, type_, with_faults(props, faults)) == []


@pytest.mark.parametrize("type_", WITHOUT_NAMESPACE)
def test_what_has_no_namespace_needs_to_name_none(type_: str) -> None:
    assert violations(kubernetes.objects_have_a_namespace_of_their_own, f"kubernetes:{type_}", {}) == []


@pytest.mark.parametrize(("more", "few"), [("3.0.0.0/9", True), ("3.0.0.0/8", False)])
def test_a_database_is_as_open_as_the_settings_let_it_be(more: str, few: bool) -> None:  # noqa: FBT001
    type_, props = STACK["database"]
    opened = with_faults(props, networks("1.0.0.0/8", more))

    assert (violations(google.databases_are_closed_to_the_internet, type_, opened) == []) is few
    assert (authorized_networks(["1.0.0.0/8", more]) is None) is few


@pytest.mark.parametrize(
    "image",
    ["localhost:5000/server:3.17.2", "server:3.17.2-b3f12979672c", "server:v1", "server:b3f1297", "nginx:1.29-alpine"],
)
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
        (pods.containers_gain_no_privileges, "server", f"{CONTAINER}.securityContext.capabilities.drop"),
        (pods.containers_gain_no_privileges, "server", f"{CONTAINER}.securityContext.capabilities.drop.0"),
        (google.firewalls_are_closed_to_the_internet, "firewall", "sourceRanges.0"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_a_preview_cannot_know_is_left_to_the_update(
    policy: ResourceValidationPolicy, name: str, path: str
) -> None:
    type_, props = STACK[name]
    unknown = unknown_checking_proxy(with_faults(props, {path: UNKNOWN_STRING_VALUE}))

    assert violations(policy, type_, unknown) == []


@pytest.mark.parametrize("path", [f"{SPEC}.containers", CONTAINER])
def test_containers_that_a_preview_cannot_know_are_left_to_the_update(path: str) -> None:
    type_, props = STACK["server"]
    unknown = unknown_checking_proxy(with_faults(props, {path: UNKNOWN_STRING_VALUE}))
    policies = [one for one in POLICIES if isinstance(one, ResourceValidationPolicy) and one not in secrets.POLICIES]

    assert [said for policy in policies for said in violations(policy, type_, unknown)] == []
