"""The pods: names and sizes that people look for, what they read, and how little they may do."""

from dataclasses import replace

import pytest

from tests.unit.conftest import PROJECT
from tests.unit.server import (
    CA,
    EVERYTHING,
    changed,
    container,
    containers,
    environment,
    everything,
    pod,
    server,
    templates,
    variables,
)

PODS = {"mlflow-server", "mlflow-server-migration", "mlflow-server-retirement", "mlflow-garbage-collection"}
EVERY_POD = pytest.mark.parametrize("name", sorted(PODS))


def test_these_pods_are_all_there_are() -> None:
    assert set(templates(everything())) == PODS
    assert set(templates(server())) == {"mlflow-server", "mlflow-server-migration", "mlflow-server-retirement"}


def test_the_deployment_has_the_names_and_labels_that_people_look_for() -> None:
    deployment = server().only("Deployment").inputs

    assert deployment["metadata"]["name"] == "mlflow-tracking-server"
    assert deployment["metadata"]["labels"] == {"app": "mlflow-tracking-server"}
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


@EVERY_POD
def test_every_container_is_of_the_server_s_image_and_has_a_size(name: str) -> None:
    for made in containers(templates(everything())[name]["spec"]):
        assert made["image"] == "mlflow-tracking-server:3.17.2"
        for bound in ("requests", "limits"):
            assert set(made["resources"][bound]) == {"cpu", "memory"}


@EVERY_POD
def test_no_pod_but_the_server_s_takes_its_requests(name: str) -> None:
    labels = templates(everything())[name]["metadata"]["labels"]

    assert (labels == {"app": "mlflow-tracking-server-pods"}) == (name == "mlflow-server")


def test_the_five_variables_come_from_the_secret_and_the_config_map() -> None:
    told = environment(server())

    assert told["DB_PASSWORD"] == {
        "secretKeyRef": {"name": "mlflow-postgresql-credentials", "key": "postgresql-password"}
    }
    for name in ("DEFAULT_ARTIFACT_ROOT", "DB_NAME", "DB_USERNAME", "DB_HOST"):
        assert told[name] == {"configMapKeyRef": {"name": "mlflow-configmap", "key": name}}


def test_libpq_reads_the_connection_from_variables_that_are_defined_before() -> None:
    deployment = server()
    names = [entry["name"] for entry in container(deployment)["env"]]

    for libpq, source in (("PGHOST", "DB_HOST"), ("PGUSER", "DB_USERNAME"), ("PGDATABASE", "DB_NAME")):
        assert environment(deployment)[libpq] == f"$({source})"
        assert names.index(source) < names.index(libpq)
    assert environment(deployment)["PGPASSWORD"] == environment(deployment)["DB_PASSWORD"]


@EVERY_POD
def test_no_container_names_a_variable_twice_which_server_side_apply_refuses(name: str) -> None:
    for made in containers(templates(everything())[name]["spec"]):
        names = [entry["name"] for entry in made.get("env", [])]
        assert len(names) == len(set(names))


@EVERY_POD
def test_every_container_that_knows_the_database_checks_its_certificate(name: str) -> None:
    deployment = everything()
    spec = templates(deployment)[name]["spec"]

    assert deployment.only("ConfigMap", "mlflow-database-ca").inputs["data"] == {"server-ca.pem": CA}
    assert {"name": "database-ca", "configMap": {"name": "mlflow-database-ca"}} in spec["volumes"]
    connecting = [made for made in containers(spec) if "PGHOST" in variables(made)]
    assert connecting
    for made in connecting:
        assert variables(made)["PGSSLMODE"] == "verify-ca"
        assert variables(made)["PGSSLROOTCERT"] == "/etc/mlflow/database-ca/server-ca.pem"
        assert {"name": "database-ca", "mountPath": "/etc/mlflow/database-ca", "readOnly": True} in made["volumeMounts"]


def test_the_server_sends_no_telemetry_and_runs_no_jobs_as_its_image_says() -> None:
    said = (PROJECT / "images/mlflow/Dockerfile").read_text()

    for name, value in (("MLFLOW_DISABLE_TELEMETRY", "true"), ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")):
        assert f"{name}={value}" in said
        assert name not in environment(server())


def test_the_cloud_key_is_mounted_where_google_s_client_looks() -> None:
    deployment = server()

    assert environment(deployment)["GOOGLE_APPLICATION_CREDENTIALS"] == "/etc/mlflow/cloud-key/key.json"
    assert {"name": "cloud-key", "secret": {"secretName": "mlflow-gcp-credentials"}} in pod(deployment)["volumes"]


EMAIL = "mlflow@my-project.iam.gserviceaccount.com"


def test_with_workload_identity_there_is_no_key_and_nothing_of_a_stand_in() -> None:
    deployment = changed(cloud_key=None, google_account=EMAIL)

    assert not {"GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST", "API_ENDPOINT_OVERRIDE"} & {
        *environment(deployment)
    }
    assert "cloud-key" not in str(pod(deployment))
    assert "mlflow-gcp-credentials" not in str(deployment.registrations)


def test_every_pod_asks_the_endpoint_of_cloud_storage_that_is_set_and_brings_its_key() -> None:
    deployment = server(replace(EVERYTHING, storage_endpoint="http://10.89.0.1:4443/storage/v1/"))

    for template in templates(deployment).values():
        for each in containers(template["spec"]):
            if each["name"] == "metrics":
                continue
            assert variables(each)["API_ENDPOINT_OVERRIDE"] == "http://10.89.0.1:4443"
            assert "GOOGLE_APPLICATION_CREDENTIALS" in variables(each)
            assert "GCE_METADATA_HOST" not in variables(each)


def test_a_stand_in_s_metadata_server_is_told_which_account_asks() -> None:
    deployment = changed(cloud_key=None, google_account=EMAIL, storage_endpoint="http://10.89.0.1:4443/storage/v1/")

    told = environment(deployment)
    assert told["GCE_METADATA_HOST"] == f"10.89.0.1:4443/workload/mlflow/mlflow-tracking-server/{EMAIL}"
    assert told["GCE_METADATA_IP"] == told["GCE_METADATA_HOST"]


def test_an_endpoint_with_tls_is_google_s_and_so_is_the_metadata_server() -> None:
    private = "https://storage-team.p.googleapis.com/storage/v1/"
    told = environment(changed(cloud_key=None, google_account=EMAIL, storage_endpoint=private))

    assert told["API_ENDPOINT_OVERRIDE"] == "https://storage-team.p.googleapis.com"
    assert "GCE_METADATA_HOST" not in told


def test_the_server_is_a_google_account_by_the_annotation_of_its_own() -> None:
    account = changed(cloud_key=None, google_account="mlflow@my-project.iam.gserviceaccount.com").only("ServiceAccount")

    assert account.inputs["metadata"]["annotations"] == {
        "iam.gke.io/gcp-service-account": "mlflow@my-project.iam.gserviceaccount.com"
    }
    assert not server().only("ServiceAccount").inputs["metadata"]["annotations"]


@EVERY_POD
def test_every_pod_is_the_server_s_account_and_gets_no_token_of_it(name: str) -> None:
    deployment = everything()
    account = deployment.only("ServiceAccount")
    spec = templates(deployment)[name]["spec"]

    assert account.inputs["metadata"]["name"] == "mlflow-tracking-server"
    assert account.inputs["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == "mlflow-tracking-server"
    assert spec["automountServiceAccountToken"] is False


@EVERY_POD
def test_no_pod_gets_variables_of_services(name: str) -> None:
    assert templates(everything())[name]["spec"]["enableServiceLinks"] is False


@EVERY_POD
def test_a_pod_runs_as_nobody(name: str) -> None:
    assert templates(everything())[name]["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@EVERY_POD
def test_a_container_can_gain_nothing_and_write_only_to_empty_folders_of_its_pod(name: str) -> None:
    spec = templates(everything())[name]["spec"]

    assert {"name": "tmp", "emptyDir": {}} in spec["volumes"]
    for made in containers(spec):
        assert made["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = [mount for mount in made["volumeMounts"] if not mount.get("readOnly")]
        assert {mount["mountPath"] for mount in writable} <= {"/tmp", "/var/metrics"}  # noqa: S108
        assert {"name": "metrics", "emptyDir": {}} in spec["volumes"] or len(writable) == 1
