"""The Kubernetes layer: the tracking server with the values of the `dev` stack."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.kubernetes import TrackingServer, TrackingServerArgs
from tests.unit.engine import UNKNOWN, Deployment, deploy

SECRET = "p@ss[word"  # noqa: S105 - nobody's
SECRET_TYPE = "kubernetes:core/v1:Secret"  # noqa: S105 - a type token
CA = "-----BEGIN CERTIFICATE-----"
ARGS = TrackingServerArgs(
    artifact_root="gs://my-artefacts",
    database_host="203.0.113.10",
    database="postgres",
    database_user="postgres",
    database_password=SECRET,
    database_ca=CA,
    cloud_key="a2V5",
    storage_emulator=None,
    image="mlflow-tracking-server:3.17.2",
    artifact_access="proxied",
    replicas=1,
    workers=1,
    resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
    node_address="192.168.49.2",
    node_port=30001,
)


def server(args: TrackingServerArgs = ARGS, *, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any]]:
        made = TrackingServer("mlflow", args)
        return {"tracking_uri": made.tracking_uri, "namespace": made.namespace}

    return deploy(program, preview=preview)


def pod(deployment: Deployment) -> dict[str, Any]:
    return deployment.only("Deployment").inputs["spec"]["template"]["spec"]


def container(deployment: Deployment) -> dict[str, Any]:
    return pod(deployment)["containers"][0]


def environment(deployment: Deployment) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container(deployment)["env"]}


def annotations(args: TrackingServerArgs) -> dict[str, str]:
    return server(args).only("Deployment").inputs["spec"]["template"]["metadata"]["annotations"]


def test_the_namespace_turns_away_pods_that_are_not_restricted() -> None:
    assert server().only("Namespace").inputs["metadata"] == {
        "name": "mlflow",
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
    }


def test_everything_stands_in_the_namespace() -> None:
    placed = [r for r in server().registrations if r.custom and not r.type.endswith(":Namespace")]

    assert {resource.inputs["metadata"]["namespace"] for resource in placed} == {"mlflow"}


def test_the_config_map_holds_exactly_the_four_settings() -> None:
    assert server().only("ConfigMap", "mlflow-configmap").inputs["data"] == {
        "DEFAULT_ARTIFACT_ROOT": "gs://my-artefacts",
        "DB_NAME": "postgres",
        "DB_USERNAME": "postgres",
        "DB_HOST": "203.0.113.10",
    }


def test_the_password_is_an_opaque_secret_under_its_key() -> None:
    secret = server().only("Secret", "mlflow-postgresql-credentials")

    assert secret.inputs["type"] == "Opaque"
    assert secret.inputs["stringData"] == {"postgresql-password": SECRET}
    assert "stringData" in secret.secrets


def test_the_cloud_key_is_a_secret_of_its_own() -> None:
    secret = server().only("Secret", "mlflow-gcp-credentials")

    assert secret.inputs["data"] == {"key.json": "a2V5"}
    assert "data" in secret.secrets


def test_the_password_stands_in_no_other_resource() -> None:
    others = [r for r in server().registrations if r.type != SECRET_TYPE]

    assert SECRET not in str([resource.inputs for resource in others])


def test_the_deployment_has_the_names_and_labels_that_people_look_for() -> None:
    deployment = server().only("Deployment").inputs

    assert deployment["metadata"]["name"] == "mlflow-tracking-server"
    assert deployment["metadata"]["labels"] == {"app": "mlflow-tracking-server"}
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "mlflow-tracking-server-pods"}}
    assert deployment["spec"]["template"]["metadata"]["labels"] == {"app": "mlflow-tracking-server-pods"}


def test_the_container_has_the_name_port_image_and_size_that_were_asked_for() -> None:
    made = container(server())

    assert made["name"] == "mlflow-tracking-server-pod"
    assert made["image"] == "mlflow-tracking-server:3.17.2"
    assert made["imagePullPolicy"] == "IfNotPresent"
    assert [port["containerPort"] for port in made["ports"]] == [5000]
    assert made["resources"] == {
        "limits": {"memory": "1Gi", "cpu": "2"},
        "requests": {"memory": "1Gi", "cpu": "1"},
    }


def test_the_five_variables_come_from_the_secret_and_the_config_map() -> None:
    variables = environment(server())

    assert variables["DB_PASSWORD"] == {
        "secretKeyRef": {"name": "mlflow-postgresql-credentials", "key": "postgresql-password"}
    }
    for name in ("DEFAULT_ARTIFACT_ROOT", "DB_NAME", "DB_USERNAME", "DB_HOST"):
        assert variables[name] == {"configMapKeyRef": {"name": "mlflow-configmap", "key": name}}


def test_libpq_reads_the_connection_from_variables_that_are_defined_before() -> None:
    deployment = server()
    names = [entry["name"] for entry in container(deployment)["env"]]

    for libpq, source in (("PGHOST", "DB_HOST"), ("PGUSER", "DB_USERNAME"), ("PGDATABASE", "DB_NAME")):
        assert environment(deployment)[libpq] == f"$({source})"
        assert names.index(source) < names.index(libpq)
    assert environment(deployment)["PGPASSWORD"] == environment(deployment)["DB_PASSWORD"]


def test_the_server_checks_the_certificate_of_its_database() -> None:
    deployment = server()

    assert deployment.only("ConfigMap", "mlflow-database-ca").inputs["data"] == {"server-ca.pem": CA}
    assert environment(deployment)["PGSSLMODE"] == "verify-ca"
    assert environment(deployment)["PGSSLROOTCERT"] == "/etc/mlflow/database-ca/server-ca.pem"
    assert {"name": "database-ca", "mountPath": "/etc/mlflow/database-ca", "readOnly": True} in (
        container(deployment)["volumeMounts"]
    )
    assert {"name": "database-ca", "configMap": {"name": "mlflow-database-ca"}} in pod(deployment)["volumes"]


def test_the_server_sends_no_telemetry_and_runs_no_jobs() -> None:
    variables = environment(server())

    assert variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert variables["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_the_cloud_key_is_mounted_where_google_s_client_looks() -> None:
    deployment = server()

    assert environment(deployment)["GOOGLE_APPLICATION_CREDENTIALS"] == "/etc/mlflow/cloud-key/key.json"
    assert {"name": "cloud-key", "secret": {"secretName": "mlflow-gcp-credentials"}} in pod(deployment)["volumes"]


def test_with_a_stand_in_for_cloud_storage_there_is_its_address_and_no_key() -> None:
    deployment = server(replace(ARGS, cloud_key=None, storage_emulator="http://10.89.0.1:4443"))

    assert environment(deployment)["STORAGE_EMULATOR_HOST"] == "http://10.89.0.1:4443"
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in environment(deployment)
    assert "cloud-key" not in str(pod(deployment))
    assert "mlflow-gcp-credentials" not in str(deployment.registrations)


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_a_pod_runs_as_nobody(kind: str) -> None:
    spec = server().only(kind).inputs["spec"]["template"]["spec"]

    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_a_container_can_gain_nothing_and_write_only_to_its_tmp(kind: str) -> None:
    spec = server().only(kind).inputs["spec"]["template"]["spec"]

    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "emptyDir": {}} in spec["volumes"]
    assert {"name": "tmp", "mountPath": "/tmp"} in spec["containers"][0]["volumeMounts"]  # noqa: S108


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_a_pod_gets_no_token_and_no_variables_of_services(kind: str) -> None:
    spec = server().only(kind).inputs["spec"]["template"]["spec"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


def test_the_schema_is_migrated_once_before_the_deployment() -> None:
    deployment = server()
    job = deployment.only("Job")

    spec = job.inputs["spec"]["template"]["spec"]
    assert spec["containers"][0]["command"] == ["mlflow", "db", "upgrade", "postgresql+psycopg://"]
    assert spec["containers"][0]["env"] == container(deployment)["env"]
    assert spec["restartPolicy"] == "Never"
    assert job.urn in deployment.only("Deployment").dependencies


def test_each_migration_has_a_name_of_its_own_since_a_job_cannot_be_changed() -> None:
    assert "name" not in server().only("Job").inputs["metadata"]


def test_config_and_secret_are_there_before_the_workload() -> None:
    deployment = server()
    before = {r.urn for r in deployment.registrations if r.type in ("kubernetes:core/v1:ConfigMap", SECRET_TYPE)}

    assert len(before) == 4
    assert before <= deployment.only("Job").dependencies
    assert before <= deployment.only("Deployment").dependencies


@pytest.mark.parametrize(
    ("setting", "value", "annotation"),
    [
        ("database_host", "203.0.113.11", "checksum/config"),
        ("artifact_root", "gs://other", "checksum/config"),
        ("database_ca", "another authority", "checksum/config"),
        ("database_password", "another", "checksum/secret"),
        ("cloud_key", "YW5vdGhlcg==", "checksum/secret"),
    ],
)
def test_a_changed_content_rolls_the_pods(setting: str, value: str, annotation: str) -> None:
    changes: dict[str, Any] = {setting: value}
    before, after = annotations(ARGS), annotations(replace(ARGS, **changes))

    assert {key for key in before if before[key] != after[key]} == {annotation}


def test_the_checksum_of_a_secret_is_a_secret() -> None:
    secrets = server().only("Deployment").secrets

    assert "spec.template.metadata.annotations.checksum/secret" in secrets


def test_a_pod_goes_only_after_its_successor_is_ready() -> None:
    spec = server().only("Deployment").inputs["spec"]

    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 60
    assert container(server())["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}


def test_the_server_may_wait_longer_for_its_database_than_it_does() -> None:
    made = container(server())

    assert {made[probe]["httpGet"]["path"] for probe in made if probe.endswith("Probe")} == {"/health"}
    assert made["startupProbe"]["periodSeconds"] * made["startupProbe"]["failureThreshold"] >= 180
    assert made["readinessProbe"]["periodSeconds"] <= 2
    assert made["livenessProbe"]["failureThreshold"] > 1


def test_artifacts_pass_through_the_server() -> None:
    command = container(server())["command"]

    assert command[command.index("--artifacts-destination") + 1] == "$(DEFAULT_ARTIFACT_ROOT)"
    assert "--default-artifact-root" not in command


def test_clients_use_the_bucket_themselves_where_access_is_direct() -> None:
    command = container(server(replace(ARGS, artifact_access="direct")))["command"]

    assert command[command.index("--default-artifact-root") + 1] == "$(DEFAULT_ARTIFACT_ROOT)"
    assert "--no-serve-artifacts" in command
    assert "--artifacts-destination" not in command


def test_the_server_answers_on_its_port_with_its_workers() -> None:
    command = container(server(replace(ARGS, workers=2)))["command"]

    assert command[:2] == ["mlflow", "server"]
    assert command[command.index("--host") + 1] == "0.0.0.0"  # noqa: S104
    assert command[command.index("--port") + 1] == "5000"
    assert command[command.index("--workers") + 1] == "2"
    assert command[command.index("--backend-store-uri") + 1] == "postgresql+psycopg://"


def test_the_server_answers_the_node_the_cluster_and_localhost_and_nobody_else() -> None:
    command = container(server())["command"]

    assert command[command.index("--allowed-hosts") + 1].split(",") == [
        "192.168.49.2",
        "192.168.49.2:30001",
        "mlflow-tracking-server",
        "mlflow-tracking-server:5000",
        "mlflow-tracking-server.mlflow",
        "mlflow-tracking-server.mlflow:5000",
        "mlflow-tracking-server.mlflow.svc",
        "mlflow-tracking-server.mlflow.svc:5000",
        "mlflow-tracking-server.mlflow.svc.cluster.local",
        "mlflow-tracking-server.mlflow.svc.cluster.local:5000",
        "localhost",
        "localhost:*",
        "127.0.0.1",
        "127.0.0.1:*",
    ]


def test_pages_of_the_server_itself_may_change_things() -> None:
    command = container(server())["command"]

    assert command[command.index("--cors-allowed-origins") + 1] == "http://192.168.49.2:30001"


def test_the_service_opens_one_port_on_every_node_to_the_pods() -> None:
    deployment = server()
    service = deployment.only("Service", "mlflow-tracking-server").inputs["spec"]

    assert service["type"] == "NodePort"
    assert service["selector"] == deployment.only("Deployment").inputs["spec"]["selector"]["matchLabels"]
    assert service["ports"] == [
        {"name": "http", "protocol": "TCP", "port": 5000, "targetPort": 5000, "nodePort": 30001}
    ]


def test_the_tracking_uri_is_the_node_and_its_port() -> None:
    outputs = server().outputs

    assert outputs["tracking_uri"].value == "http://192.168.49.2:30001"
    assert outputs["namespace"].value == "mlflow"


def test_what_is_unknown_in_a_preview_stays_unknown() -> None:
    deployment = server(replace(ARGS, database_password=_unknown(), database_host=_unknown()), preview=True)

    assert deployment.only("ConfigMap", "mlflow-configmap").inputs["data"]["DB_HOST"] == UNKNOWN
    secret = deployment.only("Secret", "mlflow-postgresql-credentials")
    assert secret.inputs["stringData"] == UNKNOWN
    assert deployment.only("Deployment").inputs["spec"]["template"]["metadata"]["annotations"] == {
        "checksum/config": UNKNOWN,
        "checksum/secret": UNKNOWN,
    }


def _unknown() -> pulumi.Output[str]:
    """Return an output whose value only an update would tell."""
    unknown: Any = pulumi.Output.from_input("").apply(lambda _: pulumi.UNKNOWN)
    return unknown
