"""The Google Cloud layer, one component at a time."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.gcp import (
    ArtifactBucket,
    ArtifactBucketArgs,
    CloudSqlPostgres,
    CloudSqlPostgresArgs,
    ServerIdentity,
    ServerIdentityArgs,
)
from tests.unit.engine import CERTIFICATE, EMAIL, HOST, PASSWORD, UNKNOWN, Deployment, deploy


def database(*, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any]]:
        made = CloudSqlPostgres(
            "db",
            CloudSqlPostgresArgs(
                instance_name="mlflow-tracking",
                region="asia-southeast1",
                version="POSTGRES_14",
                tier="db-custom-2-3840",
                authorized_networks=["203.0.113.7/32"],
                labels={"app": "mlflow"},
            ),
        )
        return {
            name: getattr(made, name) for name in ("host", "instance_name", "user", "database", "password", "server_ca")
        }

    return deploy(program, preview=preview)


def bucket(*, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any]]:
        made = ArtifactBucket(
            "bucket", ArtifactBucketArgs(bucket_name="my-artefacts", region="asia-southeast1", labels={"app": "mlflow"})
        )
        return {"name": made.name, "url": made.url}

    return deploy(program, preview=preview)


def identity(*, with_key: bool, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any] | None]:
        made = ServerIdentity(
            "server", ServerIdentityArgs(account_id="mlflow-tracking", bucket="my-artefacts", with_key=with_key)
        )
        return {"email": made.email, "key": made.key}

    return deploy(program, preview=preview)


@pytest.mark.parametrize("preview", [False, True])
def test_the_database_is_the_machine_that_was_asked_for(preview: bool) -> None:  # noqa: FBT001
    instance = database(preview=preview).only("DatabaseInstance")

    assert instance.inputs["name"] == "mlflow-tracking"
    assert instance.inputs["region"] == "asia-southeast1"
    assert instance.inputs["databaseVersion"] == "POSTGRES_14"
    assert instance.inputs["settings"]["tier"] == "db-custom-2-3840"
    assert instance.inputs["settings"]["edition"] == "ENTERPRISE"
    assert instance.inputs["settings"]["userLabels"] == {"app": "mlflow"}


def test_only_the_authorized_networks_reach_the_database_by_its_public_address() -> None:
    connections = database().only("DatabaseInstance").inputs["settings"]["ipConfiguration"]

    assert connections["ipv4Enabled"] is True
    assert connections["authorizedNetworks"] == [{"name": "203-0-113-7-32", "value": "203.0.113.7/32"}]


def test_the_database_takes_encrypted_connections_only() -> None:
    connections = database().only("DatabaseInstance").inputs["settings"]["ipConfiguration"]

    assert connections["sslMode"] == "ENCRYPTED_ONLY"


def test_the_root_password_is_generated_and_secret() -> None:
    deployment = database()

    assert deployment.only("RandomPassword").inputs == {"length": 32, "special": True}
    assert deployment.only("DatabaseInstance").inputs["rootPassword"] == PASSWORD
    assert "rootPassword" in deployment.only("DatabaseInstance").secrets
    assert deployment.outputs["password"].secret


def test_the_root_password_is_secret_before_it_is_known() -> None:
    deployment = database(preview=True)

    assert deployment.only("DatabaseInstance").inputs["rootPassword"] == UNKNOWN
    assert deployment.outputs["password"].secret


def test_the_database_can_be_destroyed_and_has_the_hour_that_cloud_sql_may_take() -> None:
    instance = database().only("DatabaseInstance")

    assert instance.inputs["deletionProtection"] is False
    assert instance.timeouts == {"create": "60m", "update": "60m", "delete": "60m"}


def test_the_database_tells_how_it_is_reached() -> None:
    outputs = database().outputs

    assert {name: outputs[name].value for name in ("host", "instance_name", "user", "database", "server_ca")} == {
        "host": HOST,
        "instance_name": "mlflow-tracking",
        "user": "postgres",
        "database": "postgres",
        "server_ca": CERTIFICATE,
    }


def test_the_address_of_a_database_is_unknown_before_it_runs() -> None:
    outputs = database(preview=True).outputs

    assert not outputs["host"].known
    assert not outputs["server_ca"].known
    assert outputs["instance_name"].known


@pytest.mark.parametrize("preview", [False, True])
def test_the_bucket_is_in_the_region_in_upper_case_as_cloud_storage_answers(preview: bool) -> None:  # noqa: FBT001
    made = bucket(preview=preview).only("Bucket")

    assert made.inputs["name"] == "my-artefacts"
    assert made.inputs["location"] == "ASIA-SOUTHEAST1"
    assert made.inputs["labels"] == {"app": "mlflow"}
    assert made.inputs["forceDestroy"] is True


def test_the_bucket_can_never_be_made_public() -> None:
    assert bucket().only("Bucket").inputs["publicAccessPrevention"] == "enforced"


def test_the_bucket_knows_no_access_lists_of_single_objects() -> None:
    assert bucket().only("Bucket").inputs["uniformBucketLevelAccess"] is True


def test_the_bucket_tells_its_url() -> None:
    assert bucket().outputs["url"].value == "gs://my-artefacts"


def test_the_account_may_use_the_objects_of_one_bucket_and_nothing_else() -> None:
    deployment = identity(with_key=True)
    grants = [resource for resource in deployment.registrations if "IAM" in resource.type]

    assert [grant.inputs for grant in grants] == [
        {"bucket": "my-artefacts", "role": "roles/storage.objectUser", "member": f"serviceAccount:{EMAIL}"}
    ]


@pytest.mark.parametrize("preview", [False, True])
def test_a_key_is_secret(preview: bool) -> None:  # noqa: FBT001
    deployment = identity(with_key=True, preview=preview)

    assert deployment.only("Key").custom
    assert deployment.outputs["key"].secret


def test_no_key_is_made_unless_asked_for() -> None:
    deployment = identity(with_key=False)

    assert not [resource for resource in deployment.registrations if resource.type.endswith(":Key")]
    assert "key" not in deployment.outputs


def test_the_member_of_the_grant_is_unknown_before_the_account_is_there() -> None:
    deployment = identity(with_key=False, preview=True)

    assert deployment.only("BucketIAMMember").inputs["member"] == UNKNOWN
    assert not deployment.outputs["email"].known
