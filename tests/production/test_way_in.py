"""A team's clients come in over TLS and with a password, or not at all."""

import base64
import hashlib
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import mlflow
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from mlflow import sklearn
from sklearn.linear_model import LogisticRegression

from tests.browser import chromium, create_experiment, look_at_a_run
from tests.production.rehearsal import HOST, Rehearsal
from tests.wine import MODEL, tracked_run, wine

QUESTION = "/api/2.0/mlflow/experiments/search?max_results=1"


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of a login."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def connection(authority: Path) -> Iterator[HTTPSConnection]:
    """A connection that trusts the tests' authority alone."""
    context = ssl.create_default_context(cafile=authority)
    with closing(HTTPSConnection(HOST, context=context, timeout=20)) as made:
        yield made


def status(connection: HTTPConnection, path: str, headers: dict[str, str]) -> int:
    """Return the status of an answer."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_a_model_is_tracked_registered_and_loaded_back() -> None:
    run_id = tracked_run()
    version = mlflow.MlflowClient().search_model_versions(f"name = '{MODEL}'")[0]
    features, labels = wine()

    model = sklearn.load_model(f"models:/{MODEL}/{version.version}")

    assert isinstance(model, LogisticRegression)
    assert version.run_id == run_id
    assert model.score(features, labels) > 0.9


def test_a_browser_shows_the_runs_and_creates_an_experiment(
    rehearsal: Rehearsal, password: str, tmp_path: Path
) -> None:
    key = x509.load_pem_x509_certificate(rehearsal.certificate.certificate.encode()).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    flags = [
        f"--host-resolver-rules=MAP {HOST} {rehearsal.instance.node_address}",
        f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(spki).digest()).decode()}",
    ]

    with chromium(tmp_path, flags) as browser:
        browser.get(f"https://admin:{password}@{HOST}/")
        look_at_a_run(browser, f"https://{HOST}", "production.png")
        create_experiment(browser, f"https://{HOST}", "made in a browser, over TLS")


def test_the_right_password_gets_in(password: str, connection: HTTPSConnection) -> None:
    assert status(connection, QUESTION, basic("admin", password)) == HTTPStatus.OK


@pytest.mark.parametrize("headers", [{}, basic("admin", "password1234"), basic("nobody", "password1234")])
@pytest.mark.parametrize("path", [QUESTION, "/", "/graphql", "/ajax-api/2.0/mlflow/experiments/search?max_results=1"])
def test_nobody_gets_in_without_the_password(connection: HTTPSConnection, headers: dict[str, str], path: str) -> None:
    assert status(connection, path, headers) == HTTPStatus.UNAUTHORIZED


def test_plain_http_is_sent_to_tls_and_not_answered(password: str) -> None:
    with closing(HTTPConnection(HOST, timeout=20)) as connection:
        connection.request("GET", QUESTION, headers=basic("admin", password))
        answer = connection.getresponse()
        text = answer.read().decode()

    assert answer.status == HTTPStatus.PERMANENT_REDIRECT
    assert (answer.getheader("Location") or "").startswith(f"https://{HOST}/")
    assert "experiments" not in text.replace(QUESTION, "")


def test_the_nodes_have_no_port_for_the_server(rehearsal: Rehearsal) -> None:
    service = json.loads(rehearsal.kubectl("get", "service", "mlflow-tracking-server", "--output", "json"))["spec"]

    assert service["type"] == "ClusterIP"


def test_the_pods_use_the_private_address_and_an_account_of_their_own(rehearsal: Rehearsal) -> None:
    settings = json.loads(rehearsal.kubectl("get", "configmap", "mlflow-configmap", "--output", "json"))["data"]

    assert settings["DB_HOST"] == rehearsal.outputs()["database_host"]
    assert settings["DB_USERNAME"].removeprefix("mlflow-").isdecimal()
    assert settings["DB_NAME"] == "mlflow"
