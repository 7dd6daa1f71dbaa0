"""checkov and kube-score, on small inputs that are known."""

import copy
import json
from typing import Any

import pytest

from tests.policy.example import POD, STACK
from tests.policy.resources import with_faults
from tests.policy.scanners import ACCEPTED, Finding, problems, scan_google, scan_manifests
from tests.policy.scanners.accepted import read
from tests.policy.scanners.manifests import as_written
from tests.policy.scanners.plan import snake_case, terraform_plan

LABELS = {"app": "server-pods"}
NAIVE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "server", "namespace": "mlflow"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "server", "image": "nginx"}]}},
    },
}
HARDENED_POD = with_faults(
    POD,
    {
        "securityContext.runAsGroup": 10001,
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "labelSelector": {"matchLabels": LABELS},
                            "topologyKey": "kubernetes.io/hostname",
                        },
                    }
                ]
            }
        },
        "containers.0.imagePullPolicy": "Always",
        "containers.0.env": [{"name": "PGHOST", "value": "10.0.0.3"}],
        "containers.0.resources": {
            "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
            "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
        },
        "containers.0.securityContext.runAsUser": 10001,
        "containers.0.securityContext.runAsGroup": 10001,
    },
)


def hardened() -> dict[str, Any]:
    """Return a Deployment and what belongs to it, without a fault."""
    metadata = {"name": "server", "namespace": "mlflow"}
    deployment = with_faults(NAIVE, {"spec.replicas": 2, "spec.template.spec": HARDENED_POD})
    network = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {
            "podSelector": {"matchLabels": LABELS},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"port": 5000}]}],
            "egress": [{"ports": [{"port": 5432}]}],
        },
    }
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
    }
    return {"items": [deployment, network, budget]}


def google(**faults: dict[str, Any]) -> dict[str, Any]:
    """Return a preview of a database and a bucket, with faults."""
    states = [
        {
            "type": STACK[name][0],
            "urn": f"urn:pulumi:test::mlflow::{STACK[name][0]}::{name}",
            "inputs": with_faults(STACK[name][1], faults.get(name, {})),
        }
        for name in ("database", "bucket")
    ]
    return {"steps": [{"op": "create", "newState": state} for state in states]}


def test_a_naive_deployment_has_findings_of_both_scanners() -> None:
    found = scan_manifests({"items": [NAIVE]})

    assert Finding("CKV_K8S_14", "Deployment/server") in found
    assert Finding("CKV_K8S_20", "Deployment/server") in found
    assert Finding("container-image-tag", "Deployment/server") in found
    assert Finding("container-resources", "Deployment/server") in found


def test_a_hardened_deployment_has_none() -> None:
    assert sorted(scan_manifests(hardened())) == []


def test_an_open_database_and_an_open_bucket_have_findings() -> None:
    faults = {"settings.ipConfiguration.authorizedNetworks": [{"name": "all", "value": "0.0.0.0/0"}]}
    found = scan_google(google(database=faults, bucket={"uniformBucketLevelAccess": False}))

    assert Finding("CKV_GCP_11", "google_sql_database_instance/database") in found
    assert Finding("CKV_GCP_29", "google_storage_bucket/bucket") in found
    assert not found & {Finding("CKV_GCP_14", "google_sql_database_instance/database")}


def test_what_is_closed_has_no_such_finding() -> None:
    found = {finding.id for finding in scan_google(google())}

    assert not found & {"CKV_GCP_11", "CKV_GCP_14", "CKV_GCP_29", "CKV_GCP_60", "CKV_GCP_78", "CKV_GCP_114"}


def test_a_plan_has_terraforms_names_and_blocks() -> None:
    bucket = terraform_plan(google())["planned_values"]["root_module"]["resources"][1]

    assert bucket["address"] == "google_storage_bucket.bucket"
    assert bucket["values"]["versioning"] == [{"enabled": True}]
    assert bucket["values"]["lifecycle_rule"][0] == {
        "action": [{"type": "Delete"}],
        "condition": [{"with_state": "ARCHIVED", "days_since_noncurrent_time": 30.0}],
    }
    assert snake_case("uniformBucketLevelAccess") == "uniform_bucket_level_access"
    assert snake_case("ipv4Enabled") == "ipv4_enabled"


def test_an_exported_stack_is_the_same_plan() -> None:
    preview = google()
    exported = {"deployment": {"resources": [step["newState"] for step in preview["steps"]]}}

    assert terraform_plan(exported) == terraform_plan(preview)


def test_a_secret_never_reaches_a_scanner() -> None:
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "hunter2"}
    plan = terraform_plan(google(database={"rootPassword": hidden}))
    metadata = {"name": "one", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "aHVudGVyMg=="}}
    secret = {"kind": "Secret", "metadata": metadata, "data": {"key": "aHVudGVyMg=="}, "stringData": {"a": "b"}}

    assert "hunter2" not in json.dumps(plan)
    assert as_written({"items": [secret]})["items"] == [
        {"kind": "Secret", "metadata": {"name": "one"}, "data": {"key": ""}}
    ]


def test_scanners_see_annotations_that_people_wrote() -> None:
    written = {"nginx.ingress.kubernetes.io/configuration-snippet": "alias /;"}
    annotations = {**written, "pulumi.com/patchForce": "true"}
    ingress = {"kind": "Ingress", "metadata": {"name": "one", "annotations": annotations}}

    assert as_written({"items": [ingress]})["items"][0]["metadata"] == {"name": "one", "annotations": written}


def test_what_kubernetes_makes_of_itself_is_not_ours() -> None:
    owned = copy.deepcopy(NAIVE)
    owned["metadata"]["ownerReferences"] = [{"kind": "CronJob"}]
    default = {"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "mlflow"}}

    assert as_written({"items": [owned, default]})["items"] == []


def test_a_finding_nobody_accepted_is_a_problem_and_so_is_one_that_is_gone() -> None:
    accepted = read("[{id: CKV_1, resources: [Service/a, Service/b], reason: it is meant so}]")

    assert problems([Finding("CKV_1", "Service/a"), Finding("CKV_1", "Service/b")], accepted) == []
    assert problems([Finding("CKV_1", "Service/a"), Finding("CKV_2", "Job/c")], accepted) == [
        "CKV_1 of Service/b is gone: remove it from accepted.yaml",
        "CKV_2 of Job/c: mend it, or give a reason in accepted.yaml",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[{id: CKV_1, resources: [Service/a], reason: ' '}]",
        "[{id: CKV_1, resources: [Service/a], reason: a}, {id: CKV_1, resources: [Service/a], reason: b}]",
    ],
)
def test_each_finding_is_accepted_once_and_with_a_reason(text: str) -> None:
    with pytest.raises(AssertionError, match="CKV_1"):
        read(text)


def test_the_reviewed_file_can_be_read() -> None:
    assert all(ACCEPTED.values())
