"""What is told of settings that cannot be used: all at once, and nothing that is secret."""

from typing import Any

import pytest

from local.gcp import endpoints
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


@pytest.mark.parametrize("certificate", [KEY, TLS["mlflow:tlsCertificate"] + "\nMIIB\n" + KEY])
def test_a_key_among_the_certificates_is_refused_and_not_told(told: Told, certificate: str) -> None:
    settings = {"mlflow:tlsCertificate": certificate, "mlflow:tlsKey": "-----BEGIN EC PRIVATE KEY-----"}
    (problem,) = told(settings, stack="prod", secrets=["mlflow:tlsKey"])

    assert problem.startswith("mlflow:tlsCertificate is [hidden]: it holds a private key")
    assert "`pulumi config set --secret mlflow:tlsKey < FILE`" in problem
    assert "MIIEvQ" not in problem


def test_a_key_under_a_name_that_does_not_exist_is_not_told(told: Told) -> None:
    (problem,) = told({"mlflow:tlskey": KEY})

    assert problem.startswith("mlflow:tlskey is [hidden]: there is no such setting, did you mean 'mlflow:tlsKey'?")


@pytest.mark.parametrize(
    ("value", "shown"), [("a" * 80, "a" * 80), ("a" * 81, "a" * 80 + "…"), ("one\ntwo", "one…"), ("one\n", "one")]
)
def test_of_a_long_value_the_beginning_is_told(told: Told, value: str, shown: str) -> None:
    (problem,) = told({"aws:zzz": value})

    assert problem.startswith(f"aws:zzz is '{shown}': ")


@pytest.mark.parametrize(
    ("changes", "key", "secret"),
    [
        ({"mlflow:authorizedNetworks": ["hunter2"]}, "mlflow:authorizedNetworks", "hunter2"),
        (
            {
                "mlflow:authorizedNetworks": ["198.51.100.9/32"],
                "mlflow:network": "projects/my-project/global/networks/a",
            },
            "mlflow:authorizedNetworks",
            "198.51.100.9/32",
        ),
        ({"mlflow:authorizedNetworks": ["203.0.113.77/24"]}, "mlflow:authorizedNetworks", "203.0.113.77"),
        ({"gcp:project": "a-google-project"}, "gcp:project", "a-google-project"),
        ({"mlflow:cpuLimit": "750m"}, "mlflow:cpuLimit", "750m"),
        ({"mlflow:memoryLimit": "900Mi"}, "mlflow:memoryLimit", "900Mi"),
        ({"mlflow:databaseInstance": "hunter2", "mlflow:image": "hunter2"}, "mlflow:databaseInstance", "hunter2"),
    ],
)
def test_a_secret_is_not_told_by_a_rule_or_by_another_setting_either(
    told: Told, changes: dict[str, Any], key: str, secret: str
) -> None:
    (problem,) = told(changes, secrets=[key])

    assert "[secret]" in problem
    assert secret not in problem


def test_the_names_of_settings_are_told_though_a_secret_be_part_of_them(told: Told) -> None:
    (problem,) = told({"mlflow:databaseUser": "mlflow", "mlflow:cpuRequest": "3"}, secrets=["mlflow:databaseUser"])

    assert problem.startswith("mlflow:cpuRequest is '3': it is above mlflow:cpuLimit, 2;")


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"])
def test_a_key_is_a_secret_output(configure: Configure, kind: str) -> None:
    key = f"-----BEGIN {kind}-----"
    configure({**TLS, "mlflow:tlsKey": key}, stack="prod", secrets=["mlflow:tlsKey"])

    assert deploy(lambda: {"key": Settings.load().tls_key}).outputs["key"] == Result(key, known=True, secret=True)


def test_a_token_for_google_that_is_kept_in_the_open_is_refused_and_not_told(told: Told) -> None:
    (problem,) = told({"gcp:accessToken": "ya29.token"})

    assert problem.startswith("gcp:accessToken is ")
    assert "`pulumi config set --secret gcp:accessToken`" in problem
    assert "ya29" not in problem


@pytest.mark.parametrize("endpoint", sorted(endpoints("")))
def test_a_token_for_a_stand_in_may_be_kept_in_the_open(configure: Configure, endpoint: str) -> None:
    configure({"gcp:accessToken": "stand-in", f"gcp:{endpoint}": "http://10.89.0.1:4443/"})

    assert Settings.load()


@pytest.mark.parametrize(("stack", "secrets"), [("dev", ["gcp:accessToken"]), ("local", [])])
def test_a_token_is_a_secret_output_however_it_is_kept(configure: Configure, stack: str, secrets: list[str]) -> None:
    configure({"gcp:accessToken": "ya29.token"}, stack=stack, secrets=secrets)

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
