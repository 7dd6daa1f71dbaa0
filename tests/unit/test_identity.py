"""Who the server is at Google Cloud."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.gcp import ServerIdentity, ServerIdentityArgs, account_id
from tests.unit.engine import EMAIL, UNKNOWN, Deployment, deploy

MEMBER = "my-project.svc.id.goog[mlflow/mlflow-tracking-server]"


def identity(*, with_key: bool = False, kubernetes_account: str | None = None, preview: bool = False) -> Deployment:
    def program() -> Mapping[str, pulumi.Output[Any] | None]:
        args = ServerIdentityArgs(
            account_id="mlflow-tracking",
            bucket="my-artefacts",
            kubernetes_account=kubernetes_account,
            with_key=with_key,
        )
        made = ServerIdentity("server", args)
        return {"email": made.email, "key": made.key}

    return deploy(program, preview=preview)


def test_a_name_that_fits_is_the_account_s_own() -> None:
    for name in ("mlflow-tracking", "a" * 6, "a" * 30):
        assert account_id(name) == name


def test_a_name_that_does_not_fit_becomes_one_that_does_and_stays_apart_from_others() -> None:
    names = ["a", "b-c-d", "a" * 31, "a" * 67, "a" * 20 + "-" + "b" * 40, "a" * 20 + "-" + "b" * 41]
    ids = [account_id(name) for name in names]

    assert [each for each in ids if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", each)] == []
    assert len(set(ids)) == len(names)
    assert ids == [account_id(name) for name in names]


@pytest.mark.parametrize("kubernetes_account", [None, MEMBER])
def test_the_account_may_use_the_objects_of_one_bucket_and_nothing_else(kubernetes_account: str | None) -> None:
    deployment = identity(with_key=True, kubernetes_account=kubernetes_account)
    grants = [each for each in deployment.registrations if "IAM" in each.type and EMAIL in str(each.inputs["member"])]

    assert [grant.inputs for grant in grants] == [
        {"bucket": "my-artefacts", "role": "roles/storage.objectUser", "member": f"serviceAccount:{EMAIL}"}
    ]


@pytest.mark.parametrize("preview", [False, True])
def test_a_key_is_secret(preview: bool) -> None:  # noqa: FBT001
    deployment = identity(with_key=True, preview=preview)

    assert deployment.only("Key").custom
    assert deployment.outputs["key"].secret


def test_no_key_is_made_unless_asked_for() -> None:
    deployment = identity()

    assert not deployment.all("Key")
    assert "key" not in deployment.outputs


def test_one_kubernetes_account_may_act_as_it_and_no_other() -> None:
    deployment = identity(kubernetes_account=MEMBER)

    assert deployment.only("IAMMember").inputs == {
        "serviceAccountId": f"projects/my-project/serviceAccounts/{EMAIL}",
        "role": "roles/iam.workloadIdentityUser",
        "member": f"serviceAccount:{MEMBER}",
    }


def test_nobody_may_act_as_it_unless_asked_for() -> None:
    assert not identity(with_key=True).all("IAMMember")


def test_the_member_of_the_grant_is_unknown_before_the_account_is_there() -> None:
    deployment = identity(kubernetes_account=MEMBER, preview=True)

    assert deployment.only("BucketIAMMember").inputs["member"] == UNKNOWN
    assert deployment.only("IAMMember").inputs["serviceAccountId"] == UNKNOWN
    assert not deployment.outputs["email"].known
