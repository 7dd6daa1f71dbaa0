"""The program as a whole: `__main__.py` with the settings of the stacks `dev` and `local`, and what holds for all."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pulumi
import pytest

from local.gcp import endpoints
from tests.unit.conftest import Run, stack_file
from tests.unit.engine import HOST, Registration, generated

EVERY_STACK = pytest.mark.parametrize("stack", ["dev", "local", "prod"])
ENDPOINTS = sorted(endpoints(""))
PASSWORD = generated("mlflow-tracking-password")


def made(run: Run, stack: str, *, preview: bool = False) -> list[Registration]:
    """Return what the program asks of providers."""
    registered = run(stack=stack, preview=preview).registrations
    return [each for each in registered if each.custom and not each.type.startswith("pulumi:providers:")]


def texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text among the inputs of a resource, with its dotted path."""
    if isinstance(value, dict):
        for key, item in cast("Mapping[str, Any]", value).items():
            yield from texts(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from texts(item, f"{path}.{index}")
    elif isinstance(value, str):
        yield path, value


def test_the_stack_tells_where_everything_is(run: Run) -> None:
    assert {name: output.value for name, output in run().outputs.items()} == {
        "tracking_uri": "http://192.168.49.2:30001",
        "artifact_root": "gs://my-project-mlflow-artefacts",
        "database_host": HOST,
        "database_instance": "mlflow-tracking",
        "namespace": "mlflow",
    }


@EVERY_STACK
def test_a_first_preview_goes_through_with_the_address_unknown(run: Run, stack: str) -> None:
    outputs = run(stack=stack, preview=True).outputs

    assert not outputs["database_host"].known
    assert outputs["artifact_root"].known


@EVERY_STACK
def test_nothing_the_stack_tells_is_secret_but_the_first_password(run: Run, stack: str) -> None:
    secret = {name for name, output in run(stack=stack).outputs.items() if output.secret}

    assert secret == ({"admin_password"} if stack == "prod" else set())


@EVERY_STACK
def test_no_password_leaves_the_inputs_that_are_secret(run: Run, stack: str) -> None:
    for resource in made(run, stack):
        told = [path for path, text in texts(resource.inputs) if generated("") in text]
        assert [path for path in told if not any(path.startswith(hidden) for hidden in resource.secrets)] == []


@EVERY_STACK
@pytest.mark.parametrize("preview", [False, True])
def test_every_resource_names_its_provider(run: Run, stack: str, preview: bool) -> None:  # noqa: FBT001
    resources = made(run, stack, preview=preview)

    assert resources
    assert {
        each.name: each.provider
        for each in resources
        if f"pulumi:providers:{each.type.split(':')[0]}" not in each.provider
    } == {}


@EVERY_STACK
def test_every_resource_but_the_providers_belongs_to_a_component(run: Run, stack: str) -> None:
    assert [each.urn for each in made(run, stack) if ":mlflow:" not in each.parent.replace("$", ":")] == []


@pytest.mark.parametrize(("stack", "count"), [("dev", 9), ("local", 9), ("prod", 14)])
def test_every_component_registers_its_outputs(run: Run, stack: str, count: int) -> None:
    deployment = run(stack=stack)
    components = [each.urn for each in deployment.registrations if each.type.startswith("mlflow:")]

    assert len(components) == count
    assert [urn for urn in components if not deployment.registered_outputs.get(urn)] == []


@EVERY_STACK
def test_drift_is_passed_over_where_google_adds_to_what_was_asked_for_and_nowhere_else(run: Run, stack: str) -> None:
    passed_over = {
        (each.type.rpartition(":")[2], path.rpartition(".")[2]) for each in made(run, stack) for path in each.ignored
    }

    not_durable = set() if stack == "prod" else {("DatabaseInstance", "finalBackupConfig")}
    assert passed_over == {("Job", "cpu"), *not_durable}


def test_the_dev_stack_has_the_defaults_of_the_readme_s_table_of_settings(run: Run) -> None:
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


def test_the_cluster_is_the_one_that_was_named(run: Run) -> None:
    provider = run({"kubernetes:context": "another"}).only("kubernetes").inputs

    assert provider["context"] == "another"
    assert provider["enableConfigMapMutable"] == "true"
    assert provider["enableSecretMutable"] == "true"


@EVERY_STACK
def test_the_grant_is_there_before_the_server(run: Run, stack: str) -> None:
    deployment = run(stack=stack)
    (grant,) = [each.urn for each in deployment.all("BucketIAMMember") if each.name.endswith("-bucket")]

    (migration,) = [each for each in deployment.all("Job") if each.name.endswith("-migration")]
    assert grant in migration.dependencies
    assert migration.urn in deployment.only("Deployment").dependencies


def test_on_a_laptop_the_server_has_a_key(run: Run) -> None:
    deployment = run()

    assert deployment.only("Key").provider.endswith("::google")
    assert deployment.only("Secret", "mlflow-gcp-credentials")


def test_with_stand_ins_there_is_their_token_and_the_server_still_brings_a_key(run: Run) -> None:
    deployment = run(stack="local")
    provider = deployment.only("gcp")

    assert provider.inputs["sqlCustomEndpoint"] == stack_file("local")["gcp:sqlCustomEndpoint"]
    assert provider.inputs["accessToken"] == stack_file("local")["gcp:accessToken"]
    assert "accessToken" in provider.secrets
    assert deployment.only("Key")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_each_of_google_s_services_may_have_a_stand_in(run: Run, endpoint: str) -> None:
    provider = run({f"gcp:{endpoint}": "http://10.89.0.1:4443/"}).only("gcp").inputs

    assert provider[endpoint] == "http://10.89.0.1:4443/"
    assert not set(run().only("gcp").inputs) & set(ENDPOINTS)


def test_wrong_settings_end_before_anything_is_registered(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="mlflow:replicas is '0'"):
        run({"mlflow:replicas": 0})
