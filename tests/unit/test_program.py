"""The program as a whole: `__main__.py` with the settings of the stacks."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.unit.conftest import Configure
from tests.unit.engine import HOST, PASSWORD, Deployment, deploy

PROGRAM = Path(__file__).parent.parent.parent / "__main__.py"
LOCAL = {
    "gcp:accessToken": "stand-in",
    "gcp:sqlCustomEndpoint": "http://10.89.0.1:4443/",
    "gcp:storageCustomEndpoint": "http://10.89.0.1:4443/storage/v1/",
    "gcp:iamCustomEndpoint": "http://10.89.0.1:4443/",
    "kubernetes:context": "mlflow-local",
    "mlflow:storageEmulatorHost": "http://10.89.0.1:4443",
}

Run = Callable[..., Deployment]


@pytest.fixture
def run(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that runs the program with changed settings; its outputs are the stack's."""

    def run(changes: dict[str, Any] | None = None, *, preview: bool = False) -> Deployment:
        exports: dict[str, pulumi.Output[Any]] = {}
        monkeypatch.setattr(pulumi, "export", exports.__setitem__)
        configure(changes)

        def program() -> dict[str, pulumi.Output[Any]]:
            runpy.run_path(str(PROGRAM), run_name="__main__")
            return exports

        return deploy(program, preview=preview)

    return run


def test_the_stack_tells_where_everything_is(run: Run) -> None:
    assert {name: output.value for name, output in run().outputs.items()} == {
        "tracking_uri": "http://192.168.49.2:30001",
        "artifact_root": "gs://my-project-mlflow-artefacts",
        "database_host": HOST,
        "database_instance": "mlflow-tracking",
        "namespace": "mlflow",
    }


def test_a_first_preview_goes_through_with_the_address_unknown(run: Run) -> None:
    outputs = run(preview=True).outputs

    assert not outputs["database_host"].known
    assert outputs["artifact_root"].known


def test_nothing_the_stack_tells_is_secret(run: Run) -> None:
    assert not [name for name, output in run().outputs.items() if output.secret]


def test_the_dev_stack_is_what_the_product_began_with(run: Run) -> None:
    deployment = run()
    instance = deployment.only("DatabaseInstance").inputs

    assert instance["databaseVersion"] == "POSTGRES_14"
    assert instance["settings"]["tier"] == "db-custom-2-3840"
    assert instance["region"] == "asia-southeast1"
    assert instance["settings"]["ipConfiguration"]["authorizedNetworks"][0]["value"] == "203.0.113.7/32"
    assert deployment.only("Bucket").inputs["name"] == "my-project-mlflow-artefacts"
    assert deployment.only("Bucket").inputs["location"] == "ASIA-SOUTHEAST1"
    spec = deployment.only("Deployment").inputs["spec"]
    assert spec["replicas"] == 1
    assert spec["template"]["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"cpu": "2", "memory": "1Gi"},
    }
    assert deployment.only("Service", "mlflow-tracking-server").inputs["spec"]["ports"][0]["nodePort"] == 30001


def test_what_the_cloud_answers_is_what_the_server_is_told(run: Run) -> None:
    deployment = run()

    assert deployment.only("ConfigMap", "mlflow-configmap").inputs["data"] == {
        "DEFAULT_ARTIFACT_ROOT": "gs://my-project-mlflow-artefacts",
        "DB_NAME": "postgres",
        "DB_USERNAME": "postgres",
        "DB_HOST": HOST,
    }
    secret = deployment.only("Secret", "mlflow-postgresql-credentials")
    assert secret.inputs["stringData"] == {"postgresql-password": PASSWORD}


@pytest.mark.parametrize("preview", [False, True])
def test_every_resource_names_its_provider(run: Run, preview: bool) -> None:  # noqa: FBT001
    made = [r for r in run(preview=preview).registrations if r.custom and not r.type.startswith("pulumi:providers:")]

    assert made
    assert {r.name: r.provider for r in made if f"pulumi:providers:{r.type.split(':')[0]}" not in r.provider} == {}


def test_every_resource_but_the_providers_belongs_to_a_component(run: Run) -> None:
    made = [r for r in run().registrations if r.custom and not r.type.startswith("pulumi:providers:")]

    assert [r.urn for r in made if ":mlflow:" not in r.parent.replace("$", ":")] == []


def test_every_component_registers_its_outputs(run: Run) -> None:
    deployment = run()
    components = [r.urn for r in deployment.registrations if r.type.startswith("mlflow:")]

    assert len(components) == 8
    assert [urn for urn in components if not deployment.registered_outputs.get(urn)] == []


def test_the_cluster_is_the_one_that_was_named(run: Run) -> None:
    provider = run({"kubernetes:context": "another"}).only("kubernetes").inputs

    assert provider["context"] == "another"
    assert provider["enableConfigMapMutable"] == "true"
    assert provider["enableSecretMutable"] == "true"


def test_the_grant_is_there_before_the_server(run: Run) -> None:
    deployment = run()

    grant = deployment.only("BucketIAMMember").urn
    assert grant in deployment.only("Deployment").dependencies
    assert grant not in deployment.only("Job").dependencies


def test_on_a_laptop_the_server_has_a_key(run: Run) -> None:
    deployment = run()

    assert deployment.only("Key").provider.endswith("::google")
    assert deployment.only("Secret", "mlflow-gcp-credentials")


def test_with_stand_ins_there_are_their_addresses_and_no_key(run: Run) -> None:
    deployment = run(LOCAL)

    provider = deployment.only("gcp")
    assert provider.inputs["sqlCustomEndpoint"] == "http://10.89.0.1:4443/"
    assert provider.inputs["storageCustomEndpoint"] == "http://10.89.0.1:4443/storage/v1/"
    assert provider.inputs["iamCustomEndpoint"] == "http://10.89.0.1:4443/"
    assert "accessToken" in provider.secrets
    assert not [r.name for r in deployment.registrations if r.type.endswith(":Key")]


def test_wrong_settings_end_before_anything_is_registered(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="mlflow:replicas is '0'"):
        run({"mlflow:replicas": 0})
