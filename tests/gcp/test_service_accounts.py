"""Service accounts, and keys that are real."""

import base64
import json
from collections.abc import Generator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.oauth2 import service_account

from tests.gcp.standin import PROJECT, Json, StandIn

_ACCOUNTS = f"/iam/v1/projects/{PROJECT}/serviceAccounts"


@pytest.fixture
def account(standin: StandIn) -> Generator[Json]:
    body = {"accountId": "mlflow-server", "serviceAccount": {"displayName": "MLflow"}}
    response = standin.http.post(_ACCOUNTS, json=body)
    assert response.status_code == 200, response.text
    yield response.json()
    standin.http.delete(f"/iam/v1/{response.json()['name']}")


def test_an_account_is_found_by_address_by_id_and_in_the_list(standin: StandIn, account: Json) -> None:
    assert account["email"] == f"mlflow-server@{PROJECT}.iam.gserviceaccount.com"
    assert account["displayName"] == "MLflow"
    for name in (account["email"], account["uniqueId"]):
        assert standin.http.get(f"{_ACCOUNTS}/{name}").json() == account
    assert standin.http.get(f"/iam/v1/projects/-/serviceAccounts/{account['email']}").json() == account
    assert standin.http.get(_ACCOUNTS).json() == {"accounts": [account]}


@pytest.mark.usefixtures("account")
def test_an_account_that_is_there_is_a_409(standin: StandIn) -> None:
    assert standin.http.post(_ACCOUNTS, json={"accountId": "mlflow-server"}).status_code == 409


@pytest.mark.parametrize("account_id", ["short", "Capitals", "x" * 31, "ends-with-"])
def test_an_account_id_that_google_refuses_is_a_400(standin: StandIn, account_id: str) -> None:
    assert standin.http.post(_ACCOUNTS, json={"accountId": account_id}).status_code == 400


def test_a_patch_changes_the_fields_of_its_mask(standin: StandIn, account: Json) -> None:
    body = {"serviceAccount": {"displayName": "new", "description": "ignored"}, "updateMask": "display_name"}
    patched = standin.http.patch(f"/iam/v1/{account['name']}", json=body).json()
    assert (patched["displayName"], patched.get("description")) == ("new", None)


def test_a_key_opens_as_google_s_credentials_file_and_its_public_half_fits(standin: StandIn, account: Json) -> None:
    key = standin.http.post(f"/iam/v1/{account['name']}/keys", json={}).json()
    content = json.loads(base64.b64decode(key["privateKeyData"]))
    assert service_account.Credentials.from_service_account_info(content).service_account_email == account["email"]

    public = standin.http.get(f"/iam/v1/{key['name']}?publicKeyType=TYPE_X509_PEM_FILE").json()
    certificate = x509.load_pem_x509_certificate(base64.b64decode(public["publicKeyData"]))
    private = load_pem_private_key(content["private_key"].encode(), None)
    assert certificate.public_key() == private.public_key()
    assert "privateKeyData" not in public


def test_a_private_key_is_answered_once_and_kept_nowhere(standin: StandIn, account: Json) -> None:
    key = standin.http.post(f"/iam/v1/{account['name']}/keys", json={}).json()
    line = json.loads(base64.b64decode(key["privateKeyData"]))["private_key"].splitlines()[5]
    kept = b"".join(file.read_bytes() for file in [standin.log, *standin.state.glob("store.sqlite3*")])
    assert line.encode() not in kept
    (listed,) = standin.http.get(f"/iam/v1/{account['name']}/keys").json()["keys"]
    assert "privateKeyData" not in listed
    assert standin.http.delete(f"/iam/v1/{key['name']}").json() == {}
    assert standin.http.get(f"/iam/v1/{key['name']}").status_code == 404


def test_a_policy_of_an_account_is_kept(standin: StandIn, account: Json) -> None:
    path = f"/iam/v1/{account['name']}"
    policy = standin.http.post(f"{path}:getIamPolicy", json={}).json()
    policy["bindings"] = [{"role": "roles/iam.workloadIdentityUser", "members": ["user:a@example.com"]}]
    assert standin.http.post(f"{path}:setIamPolicy", json={"policy": policy}).status_code == 200
    assert standin.http.post(f"{path}:getIamPolicy", json={}).json()["bindings"] == policy["bindings"]
    assert standin.http.post(f"{path}:setIamPolicy", json={"policy": policy}).status_code == 412


def test_a_deleted_account_is_gone_with_its_keys_and_stays_gone(standin: StandIn, account: Json) -> None:
    key = standin.http.post(f"/iam/v1/{account['name']}/keys", json={}).json()
    assert standin.http.delete(f"/iam/v1/{account['name']}").json() == {}
    assert standin.http.get(f"/iam/v1/{account['name']}").status_code == 404
    assert standin.http.get(f"/iam/v1/{key['name']}").status_code == 404
    assert standin.http.post(f"/iam/v1/{account['name']}:undelete", json={}).status_code == 501


def test_a_kubernetes_account_may_be_let_in(standin: StandIn, account: Json) -> None:
    path, member = f"/iam/v1/{account['name']}", f"serviceAccount:{PROJECT}.svc.id.goog[mlflow/mlflow-tracking-server]"
    policy = {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [member]}]}
    assert standin.http.post(f"{path}:setIamPolicy", json={"policy": policy}).status_code == 200
    answer = standin.http.post(f"{path}:getIamPolicy?options.requestedPolicyVersion=3", json={}).json()
    assert answer["bindings"] == policy["bindings"]
