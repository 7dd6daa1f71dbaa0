"""Passwords and keys are marked secret."""

from typing import Any

import pytest
from pulumi_policy.deserialize import (
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy.secrets import secrets_are_marked
from tests.policy.resources import arguments, violations

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
CONFIG = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a type


def secret(value: object) -> dict[str, object]:
    """Return a value as Pulumi's protocol marks it."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def said(type_: str, props: dict[str, Any]) -> list[str]:
    """Return what the policy says, asked as the engine does: remediation, which is shown the marks, then validation."""
    revealed = unknown_checking_proxy(deserialize_properties(props, proxy_secrets=True))
    assert secrets_are_marked.remediate(arguments(type_, "one", revealed)) is None
    return violations(secrets_are_marked, type_, unknown_checking_proxy(deserialize_properties(props)))


@pytest.mark.parametrize(
    ("type_", "plain", "path", "wrap"),
    [
        (DATABASE, {"rootPassword": "hunter2"}, "rootPassword", "rootPassword"),
        (DATABASE, {"rootPassword": UNKNOWN_STRING_VALUE}, "rootPassword", "rootPassword"),
        (SECRET, {"stringData": {"user": "me"}}, "user", "stringData"),
        (SECRET, {"data": {"key": "aGlkZGVu"}}, "key", "data"),
        (CONFIG, {"data": {"uri": "postgresql://me:hunter2@host/db"}}, "data.uri", "data"),
        (CONFIG, {"data": {"tls.key": "-----BEGIN PRIVATE KEY-----"}}, "data.tls.key", "data"),
        ("pulumi:providers:gcp", {"accessToken": "ya29"}, "accessToken", "accessToken"),
    ],
)
def test_a_secret_has_to_be_marked(type_: str, plain: dict[str, Any], path: str, wrap: str) -> None:
    (problem,) = said(type_, plain)

    assert f"{path} is not marked secret" in problem
    assert "hunter2" not in problem
    assert said(type_, {wrap: secret(plain[wrap])}) == []


def test_a_secret_may_be_marked_key_by_key() -> None:
    assert said(SECRET, {"stringData": {"user": secret("me"), "password": secret("hunter2")}}) == []


def test_what_is_no_secret_needs_no_mark() -> None:
    props = {
        "data": {"DB_HOST": "10.0.0.3", "uri": "http://host:5000/path@2"},
        "automountServiceAccountToken": False,
        "passwordValidationPolicy": {"minLength": 12.0},
        "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "password"}}}],
    }

    assert said(CONFIG, props) == []


def test_without_its_remediation_the_policy_says_that_it_sees_nothing() -> None:
    (problem,) = violations(secrets_are_marked, CONFIG, {}, name="never looked at")

    assert "leave this policy's level at 'remediate'" in problem
