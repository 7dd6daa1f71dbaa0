"""The program with the settings of the stack `prod`: how what it adds is wired together."""

from typing import Any

import pytest

from tests.unit.conftest import ADDED, Run
from tests.unit.engine import EMAIL, INSTANCE_ACCOUNT, PRIVATE_HOST, UNKNOWN, Deployment, generated

LABELS = {"app": "mlflow-tracking-server"}
NAME = "mlflow-tracking-server"
NETWORK = ADDED["prod"]["mlflow:network"]

FORCED = ("pulumi.com/patchForce", "true")


@pytest.fixture
def prod(run: Run) -> Deployment:
    """What the stack registers."""
    return run(stack="prod")


def connections(deployment: Deployment) -> dict[str, Any]:
    return deployment.only("DatabaseInstance").inputs["settings"]["ipConfiguration"]


def postgresql(deployment: Deployment) -> Any:  # noqa: ANN401 - a rule's peers
    """Return where the pods may go with PostgreSQL's port."""
    rules = deployment.only("NetworkPolicy").inputs["spec"]["egress"]
    (found,) = [rule["to"] for rule in rules if rule["ports"][0]["port"] == 5432]
    return found


def test_the_stack_tells_where_everything_is(prod: Deployment) -> None:
    assert {name: output.value for name, output in prod.outputs.items()} == {
        "tracking_uri": "https://mlflow.example.com",
        "artifact_root": "gs://my-project-mlflow-artefacts",
        "backup_root": "gs://my-project-mlflow-artefacts-backups",
        "database_host": PRIVATE_HOST,
        "database_instance": "mlflow-tracking",
        "namespace": "mlflow",
        "admin_password": generated("mlflow-tracking-users-admin-password"),
    }


def test_the_database_has_no_public_address(prod: Deployment) -> None:
    assert connections(prod)["ipv4Enabled"] is False
    assert connections(prod)["privateNetwork"] == NETWORK
    assert "authorizedNetworks" not in connections(prod)


@pytest.mark.parametrize("preview", [False, True])
def test_the_database_waits_for_the_way_to_its_private_address(run: Run, preview: bool) -> None:  # noqa: FBT001
    deployment = run(stack="prod", preview=preview)

    peering = next(each.urn for each in deployment.all("Connection"))
    assert peering in deployment.only("DatabaseInstance").dependencies


def test_a_peering_that_is_there_already_is_used_and_none_is_made(run: Run) -> None:
    deployment = run({"mlflow:ownPeering": False}, stack="prod")

    assert not deployment.all("Connection")
    assert not deployment.all("GlobalAddress")
    assert connections(deployment)["privateNetwork"] == NETWORK


def test_disk_is_reserved_for_the_server_alone(run: Run) -> None:
    deployment = run({"mlflow:diskRequest": "8Gi"}, stack="prod").only("Deployment")
    server, *sidecars = deployment.inputs["spec"]["template"]["spec"]["containers"]

    assert server["resources"]["requests"]["ephemeral-storage"] == "8Gi"
    assert not any("ephemeral-storage" in each["resources"]["requests"] for each in sidecars)


def test_the_pods_use_the_private_address_and_reach_no_other_database(prod: Deployment) -> None:
    assert prod.only("ConfigMap", "mlflow-configmap").inputs["data"]["DB_HOST"] == PRIVATE_HOST
    assert postgresql(prod) == [{"ipBlock": {"cidr": f"{PRIVATE_HOST}/32"}}]


def test_the_address_stays_unknown_in_a_first_preview(run: Run) -> None:
    deployment = run(stack="prod", preview=True)

    assert deployment.only("ConfigMap", "mlflow-configmap").inputs["data"]["DB_HOST"] == UNKNOWN
    assert postgresql(deployment) == [{"ipBlock": {"cidr": UNKNOWN}}]


def test_the_server_uses_an_account_and_a_database_of_its_own(prod: Deployment) -> None:
    settings = prod.only("ConfigMap", "mlflow-configmap").inputs["data"]
    secrets = {
        name: prod.only("Secret", name).inputs["stringData"]["postgresql-password"]
        for name in ("mlflow-postgresql-credentials", "mlflow-postgresql-administrator")
    }

    assert (settings["DB_NAME"], settings["DB_USERNAME"]) == ("mlflow", "mlflow-1")
    assert secrets["mlflow-postgresql-credentials"] == generated("mlflow-tracking-password")
    assert secrets["mlflow-postgresql-administrator"] == generated("mlflow-tracking-root-password")
    assert prod.only("DatabaseInstance").inputs["rootPassword"] == secrets["mlflow-postgresql-administrator"]


def test_another_password_is_another_account(run: Run) -> None:
    deployment = run({"mlflow:databasePasswordGeneration": 2}, stack="prod")

    assert deployment.only("ConfigMap", "mlflow-configmap").inputs["data"]["DB_USERNAME"] == "mlflow-2"


def test_the_server_s_own_kubernetes_account_is_its_google_account(prod: Deployment) -> None:
    account = prod.only("ServiceAccount").inputs["metadata"]

    assert prod.only("IAMMember").inputs["member"] == (
        f"serviceAccount:my-project.svc.id.goog[{account['namespace']}/{account['name']}]"
    )
    assert account["annotations"]["iam.gke.io/gcp-service-account"] == EMAIL
    assert prod.only("Deployment").inputs["spec"]["template"]["spec"]["serviceAccountName"] == account["name"]


def test_a_second_stack_of_the_project_has_names_of_its_own(run: Run) -> None:
    first, second = run(stack="prod"), run({"mlflow:databaseInstance": "mlflow-second"}, stack="prod")

    assert first.only("Account").inputs["accountId"] == "mlflow-tracking"
    assert first.only("GlobalAddress").inputs["name"] == "mlflow-tracking-services"
    assert second.only("Account").inputs["accountId"] == "mlflow-second"
    assert second.only("GlobalAddress").inputs["name"] == "mlflow-second-services"


def test_no_key_of_the_account_exists(prod: Deployment) -> None:
    assert not prod.all("Key")
    assert "mlflow-gcp-credentials" not in str(prod.registrations)
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in str(prod.registrations)


def test_nobody_is_granted_more_than_one_bucket(prod: Deployment) -> None:
    grants = {each.inputs["bucket"]: each.inputs["member"] for each in prod.all("BucketIAMMember")}

    assert grants == {
        "my-project-mlflow-artefacts": f"serviceAccount:{EMAIL}",
        "my-project-mlflow-artefacts-backups": f"serviceAccount:{INSTANCE_ACCOUNT}",
    }
    assert {each.type.rpartition(":")[2] for each in prod.registrations if "IAM" in each.type} == {
        "BucketIAMMember",
        "IAMMember",
    }


def test_everything_that_costs_is_labelled(prod: Deployment) -> None:
    assert prod.only("DatabaseInstance").inputs["settings"]["userLabels"] == LABELS
    assert [each.inputs["labels"] for each in prod.all("Bucket")] == [LABELS, LABELS]


def test_two_pods_at_least_answer_and_may_become_four(prod: Deployment) -> None:
    scaler = prod.only("HorizontalPodAutoscaler").inputs["spec"]

    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    assert prod.only("PodDisruptionBudget")


def test_the_way_in_is_tls_within_the_network_and_a_login(prod: Deployment) -> None:
    command = prod.only("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]["command"]

    assert prod.only("Service", NAME).inputs["spec"]["type"] == "ClusterIP"
    annotations = prod.only("Ingress", NAME).inputs["metadata"]["annotations"]
    assert annotations["kubernetes.io/ingress.class"] == "gce-internal"
    assert annotations["kubernetes.io/ingress.allow-http"] == "false"
    assert command[command.index("--app-name") + 1] == "kubernetes-basic-auth"


def test_runs_that_were_deleted_a_month_ago_are_removed(prod: Deployment) -> None:
    job = prod.only("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]

    assert job["command"][job["command"].index("--older-than") + 1] == "30d"


def test_a_certificate_of_one_s_own_becomes_a_secret(run: Run) -> None:
    certificate = {
        "mlflow:tlsCertificate": "-----BEGIN CERTIFICATE-----",
        "mlflow:tlsKey": "-----BEGIN PRIVATE KEY-----",
    }
    secret = run(certificate, stack="prod", secrets=["mlflow:tlsKey"]).only("Secret", "mlflow-tls")

    assert secret.inputs["stringData"] == {
        "tls.crt": "-----BEGIN CERTIFICATE-----",
        "tls.key": "-----BEGIN PRIVATE KEY-----",
    }
    assert "stringData" in secret.secrets


def test_the_namespace_of_another_stack_is_a_conflict_and_not_taken(prod: Deployment) -> None:
    namespace = prod.only("Namespace").inputs["metadata"]

    assert namespace["labels"]["app.kubernetes.io/instance"] == "my-project.test"
    assert FORCED not in namespace.get("annotations", {}).items()


def test_the_program_s_word_counts_where_somebody_changed_an_object(prod: Deployment) -> None:
    objects = [each for each in prod.registrations if each.type.startswith("kubernetes:")]
    objects.remove(prod.only("Namespace"))

    assert objects
    assert [each.name for each in objects if FORCED not in each.inputs["metadata"].get("annotations", {}).items()] == []
