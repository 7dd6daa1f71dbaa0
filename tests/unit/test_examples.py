"""The examples of docs/examples, applied to what the program registers.

Mocks know no transforms: tests/engine shows that the engine applies them.
"""

import copy
import runpy
from typing import Any

import pulumi
import pytest

from docs.examples.encryption_key import encrypted_with
from docs.examples.node_pool import on_pool
from tests.unit.conftest import PROJECT, Configure
from tests.unit.engine import Deployment, deploy

KEY = "projects/p/locations/asia-southeast1/keyRings/r/cryptoKeys/k"


@pytest.fixture
def made(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """What the program registers."""
    configure()
    exports: dict[str, object] = {}
    monkeypatch.setattr(pulumi, "export", exports.__setitem__)

    def program() -> dict[str, pulumi.Output[Any] | None]:
        runpy.run_path(str(PROJECT / "__main__.py"), run_name="__main__")
        return {}

    return deploy(program)


def changed(transform: pulumi.ResourceTransform, type_: str, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """Return the inputs that a transform leaves a resource with, None where it does not concern itself with it."""
    args = pulumi.ResourceTransformArgs(
        custom=True, type_=type_, name="any", props=copy.deepcopy(inputs), opts=pulumi.ResourceOptions()
    )
    result = transform(args)
    assert result is None or isinstance(result, pulumi.ResourceTransformResult)
    return None if result is None else dict(result.props)


def test_pods_of_the_server_and_of_its_jobs_go_to_the_pool(made: Deployment) -> None:
    inputs = {
        resource.type: changed(on_pool("mlflow"), resource.type, resource.inputs) for resource in made.registrations
    }
    pods = {type_: found["spec"]["template"]["spec"] for type_, found in inputs.items() if found is not None}

    assert set(pods) == {"kubernetes:apps/v1:Deployment", "kubernetes:batch/v1:Job"}
    for pod in pods.values():
        assert pod["nodeSelector"] == {"cloud.google.com/gke-nodepool": "mlflow"}
        assert pod["tolerations"][0]["value"] == "mlflow"
        assert pod["containers"]


def test_a_cron_job_goes_to_the_pool() -> None:
    pod: dict[str, Any] = {"containers": []}
    inputs = {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}

    result = changed(on_pool("mlflow"), "kubernetes:batch/v1:CronJob", inputs)

    assert result is not None
    placed = result["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert placed["nodeSelector"] == {"cloud.google.com/gke-nodepool": "mlflow"}


def test_the_database_is_encrypted_with_the_key_and_nothing_else_changes(made: Deployment) -> None:
    instance = made.only("DatabaseInstance")
    touched = [one for one in made.registrations if changed(encrypted_with(KEY), one.type, one.inputs) is not None]

    assert touched == [instance]
    result = changed(encrypted_with(KEY), instance.type, instance.inputs)
    assert result == {**instance.inputs, "encryptionKeyName": KEY}
