"""What is told of settings that cannot be used: all at once, and nothing that is secret."""

import pytest

from settings import Settings
from tests.unit.conftest import Configure, Told
from tests.unit.engine import Result, deploy

KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----"
TLS = {"mlflow:tlsCertificate": "-----BEGIN CERTIFICATE-----", "mlflow:tlsKey": KEY}


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("mlflow:replica", "mlflow:replicas"),
        ("mlflow:memorylimit", "mlflow:memoryLimit"),
        ("mlfow:image", "mlflow:image"),
        ("gcp:projects", "gcp:project"),
        ("kubernetes:contxt", "kubernetes:context"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_one(told: Told, key: str, nearest: str) -> None:
    (problem,) = told({key: "x"})

    assert problem.startswith(f"{key} is 'x': there is no such setting, did you mean '{nearest}'?")


def test_a_setting_like_no_other_is_refused_too(told: Told) -> None:
    (problem,) = told({"aws:zzz": "x"})

    assert problem == "aws:zzz is 'x': there is no such setting; type `pulumi config rm aws:zzz` to remove it"


def test_settings_of_pulumi_itself_are_none_of_ours(configure: Configure) -> None:
    configure({"pulumi:disable-default-providers": ["gcp"]})

    assert Settings.load()


def test_the_value_of_an_unknown_secret_is_not_told(told: Told) -> None:
    (problem,) = told({"mlflow:databasePasword": "hunter2"}, secrets=["mlflow:databasePasword"])

    assert problem.startswith("mlflow:databasePasword is [secret]")
    assert "hunter2" not in problem


def test_a_key_that_is_kept_in_the_open_is_refused_and_not_told(told: Told) -> None:
    (problem,) = told(TLS, stack="prod")

    assert problem.startswith("mlflow:tlsKey is ")
    assert "`pulumi config set --secret mlflow:tlsKey`" in problem
    assert "MIIEvQ" not in problem


def test_a_key_that_is_no_key_is_refused_and_not_told(told: Told) -> None:
    (problem,) = told({**TLS, "mlflow:tlsKey": "hunter2"}, stack="prod", secrets=["mlflow:tlsKey"])

    assert problem.startswith("mlflow:tlsKey is [secret]")
    assert "without a passphrase, as PEM" in problem
    assert "hunter2" not in problem


def test_a_certificate_that_is_none_is_refused(told: Told) -> None:
    (problem,) = told({**TLS, "mlflow:tlsCertificate": "mine"}, stack="prod", secrets=["mlflow:tlsKey"])

    assert problem.startswith("mlflow:tlsCertificate is 'mine'")
    assert "as PEM: `pulumi config set mlflow:tlsCertificate < FILE`" in problem


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"])
def test_a_key_is_a_secret_output(configure: Configure, kind: str) -> None:
    key = f"-----BEGIN {kind}-----"
    configure({**TLS, "mlflow:tlsKey": key}, stack="prod", secrets=["mlflow:tlsKey"])

    assert deploy(lambda: {"key": Settings.load().tls_key}).outputs["key"] == Result(key, known=True, secret=True)


def test_a_token_is_a_secret_output_however_it_is_kept(configure: Configure) -> None:
    configure({"gcp:accessToken": "ya29.token"})

    outputs = deploy(lambda: {"token": Settings.load().access_token}).outputs
    assert outputs["token"] == Result("ya29.token", known=True, secret=True)


def test_all_problems_are_told_at_once(told: Told) -> None:
    lines = told({"gcp:project": None, "mlflow:replicas": 0, "mlflow:nodePort": 80, "mlflow:x": "y"})

    assert [line.split(" is ")[0] for line in lines] == [
        "mlflow:x",
        "gcp:project",
        "mlflow:replicas",
        "mlflow:nodePort",
    ]
