"""A pod asks the metadata server who it is, and may do what the account that lends itself to it may do."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.gcp.standin import PROJECT, Json, StandIn

EMAIL = f"lender@{PROJECT}.iam.gserviceaccount.com"
ACCOUNT = f"/iam/v1/projects/{PROJECT}/serviceAccounts"
MEMBER = f"serviceAccount:{PROJECT}.svc.id.goog[mlflow/server]"
BUCKET = "lent"
_CLIENT = f"""
from google.cloud import storage
storage.Client(project="{PROJECT}").bucket("{BUCKET}").blob("there").upload_from_string("x")
"""


@pytest.fixture(scope="module")
def lender(standin: StandIn) -> Iterator[str]:
    """An account that may use a bucket, and that lends itself to one Kubernetes account."""
    standin.http.post(ACCOUNT, json={"accountId": "lender"}).raise_for_status()
    _allow(standin, "roles/iam.workloadIdentityUser", MEMBER)
    with standin.storage() as client:
        bucket = client.create_bucket(BUCKET)
        policy = bucket.get_iam_policy()
        policy.bindings.append({"role": "roles/storage.objectUser", "members": {f"serviceAccount:{EMAIL}"}})
        bucket.set_iam_policy(policy)
        yield EMAIL
        bucket.delete(force=True)
    standin.http.delete(f"{ACCOUNT}/{EMAIL}").raise_for_status()


def _allow(standin: StandIn, role: str, member: str) -> None:
    policy: Json = {"bindings": [{"role": role, "members": [member]}]}
    standin.http.post(f"{ACCOUNT}/{EMAIL}:setIamPolicy", json={"policy": policy}).raise_for_status()


def _upload(standin: StandIn, workload: str) -> str:
    """Upload by Google's client as a pod would that is told where its metadata server is; return what went wrong."""
    metadata = f"{standin.url.removeprefix('http://')}/workload/{workload}"
    told = {"API_ENDPOINT_OVERRIDE": standin.url, "GCE_METADATA_HOST": metadata, "GCE_METADATA_IP": metadata}
    inherited = {name: value for name, value in os.environ.items() if "GOOGLE" not in name and "STORAGE" not in name}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _CLIENT],
        check=False,
        capture_output=True,
        text=True,
        env={**inherited, **told, "HOME": "/nonexistent"},
    )
    return done.stderr


def test_the_kubernetes_account_that_was_named_acts_as_the_service_account(standin: StandIn, lender: str) -> None:
    assert _upload(standin, f"mlflow/server/{lender}") == ""

    assert standin.http.get(f"/{BUCKET}/there").text == "x"


@pytest.mark.parametrize("other", ["mlflow/another", "default/server"])
def test_another_kubernetes_account_gets_no_token(standin: StandIn, lender: str, other: str) -> None:
    assert "iam.serviceAccounts.getAccessToken" in _upload(standin, f"{other}/{lender}")


def test_a_disabled_account_lends_itself_to_nobody(standin: StandIn, lender: str) -> None:
    standin.http.post(f"{ACCOUNT}/{lender}:disable", json={}).raise_for_status()
    said = _upload(standin, f"mlflow/server/{lender}")
    standin.http.post(f"{ACCOUNT}/{lender}:enable", json={}).raise_for_status()

    assert "iam.serviceAccounts.getAccessToken" in said


def test_the_metadata_server_answers_only_who_names_its_flavor(standin: StandIn, lender: str) -> None:
    """A page in a browser could not set the header, and so reads no token."""
    path = f"/workload/mlflow/server/{lender}/computeMetadata/v1/instance/service-accounts/default/token"

    assert standin.http.get(path).status_code == 403
    assert "access_token" in standin.http.get(path, headers={"Metadata-Flavor": "Google"}).json()
