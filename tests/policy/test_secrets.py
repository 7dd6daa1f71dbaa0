"""Passwords and keys are marked secret, and stand in Kubernetes' Secrets alone."""

from typing import Any

import pytest
from pulumi_policy import ResourceValidationPolicy
from pulumi_policy.deserialize import (
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy.secrets import config_maps_are_not_made_of_secrets, credentials_come_from_secrets, secrets_are_marked
from tests.policy.example import STACK
from tests.policy.resources import arguments, in_stack, stack_violations, violations

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
CONFIG = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CERTIFICATE = "-----BEGIN CERTIFICATE-----"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a type


def secret(value: object) -> dict[str, object]:
    """Return a value as Pulumi's protocol marks it."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def said(type_: str, props: dict[str, Any], policy: ResourceValidationPolicy = secrets_are_marked) -> list[str]:
    """Return what a policy says, asked as the engine does: remediation, which is shown the marks, then validation."""
    revealed = unknown_checking_proxy(deserialize_properties(props, proxy_secrets=True))
    assert policy.remediate(arguments(type_, "one", revealed)) is None
    return violations(policy, type_, unknown_checking_proxy(deserialize_properties(props)))


def in_the_open(type_: str, props: dict[str, Any]) -> list[str]:
    """Return what is said of secrets that stand where everybody reads them."""
    assert said(type_, props) == []  # marked, they would stand there all the same
    return said(type_, props, credentials_come_from_secrets)


def pod(**container: Any) -> dict[str, Any]:  # noqa: ANN401 - properties are of any type
    """Return a Deployment's properties with one container."""
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


@pytest.mark.parametrize(
    ("type_", "plain", "path", "wrap"),
    [
        (DATABASE, {"rootPassword": "hunter2"}, "rootPassword", "rootPassword"),
        (DATABASE, {"rootPassword": UNKNOWN_STRING_VALUE}, "rootPassword", "rootPassword"),
        (SECRET, {"stringData": {"user": "me"}}, "user", "stringData"),
        (SECRET, {"data": {"key": "aGlkZGVu"}}, "key", "data"),
        ("gcp:storage/x:X", {"uri": "postgresql://me:hunter2@host/db"}, "uri", "uri"),
        ("gcp:storage/x:X", {"env": [{"name": "dbPassword", "value": "hunter2"}]}, "env.0.value", "env"),
        ("gcp:storage/x:X", {"envs": [{"name": "FLASK_SECRET_KEY", "value": "hunter2"}]}, "envs.0.value", "envs"),
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


@pytest.mark.parametrize(
    "props",
    [
        {"data": {"DB_HOST": "10.0.0.3", "uri": "http://host:5000/path@2"}},
        {"automountServiceAccountToken": False},
        {"passwordValidationPolicy": {"minLength": 12.0}},
        {"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "password"}}}]},
        {"spec": {"data": [{"secretKey": "password", "remoteRef": {"key": "database", "property": "password"}}]}},
        {"values": {"auth": {"existingSecret": "credentials", "existingSecretKey": "password"}}},
        {"values": {"uri": "postgresql://{user}:{password}@host/db"}},
        {"args": ["--no-password", "mlflow", "--key=db-password", "mlflow"]},
    ],
    ids=str,
)
def test_what_is_no_secret_needs_no_mark(props: dict[str, Any]) -> None:
    for type_ in (CONFIG, "kubernetes:external-secrets.io/v1:ExternalSecret", "kubernetes:helm.sh/v3:Release"):
        assert said(type_, props) == []


@pytest.mark.parametrize(
    "data",
    [
        {"motto": secret("hunter2")},
        {"motto": secret(UNKNOWN_STRING_VALUE)},
        {"uri": "postgresql://me:hunter2@host/db"},
        {"tls.key": "-----BEGIN PRIVATE KEY-----"},
        {"ca.pem": secret("hunter2")},
        *({name: "hunter2"} for name in ("token", "client_secret", "credentials", "DB_PASS", "clientSecret")),
        {"app.properties": "spring.datasource.password=hunter2"},
        {".env": "DB_USER=me\nDB_PASSWORD=hunter2"},
        {"basic_auth.ini": "[mlflow]\nadmin_password = hunter2"},
        {"config.yaml": "database:\n  password: hunter2"},
        {"config.yaml": "users:\n  - password: 'hunter2'  # ours"},
        {"config.json": '{"database": {"user": "me", "password": "hunter2"}}'},
        {"config.json": '{"password":"hunter2"}'},
        {"run.sh": 'DB_PASSWORD="${DB_PASSWORD:-hunter2}"'},
        {"run.py": 'connect(user="me", password="hunter2")'},
    ],
    ids=str,
)
def test_a_config_map_has_no_secret(data: dict[str, Any]) -> None:
    for type_ in (CONFIG, f"{CONFIG}Patch"):
        (problem,) = in_the_open(type_, {"data": data})

        assert f"data.{next(iter(data))} has " in problem
        assert "hunter2" not in problem
    assert len(in_the_open(CONFIG, {"data": secret({**data, "ca.crt": CERTIFICATE})})) == 1


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "MOTTO", "value": secret("hunter2")}]},
        {"env": secret([{"name": "MOTTO", "value": "hunter2"}])},
        *(
            {"env": [{"name": name, "value": "hunter2"}]}
            for name in ("DB_PASSWORD", "db_password", "DB_PASS", "MYSQL_PWD", "CREDENTIALS", "API_KEY", "AUTH_TOKEN")
        ),
        {"env": [{"name": "DB_PASSWORD", "value": "$(NAME)hunter2"}]},
        *({"env": [{"name": "DB_PASSWORD", "value": f"{sign}hunter2"}]} for sign in "!#%$&*("),
        {"env": [{"name": "DB_PASSWORD", "value": "12345"}]},
        {"env": [{"name": "DB_PASSWORD", "value": "hunter2(!"}]},
        {"env": [{"name": "DB_PASSWORD", "value": "123456"}]},
        {"env": [{"name": "DB_DSN", "value": "host=db user=me password=hunter2"}]},
        {"env": [{"name": "DB_DSN", "value": "Server=db;User Id=me;Password=hunter2;"}]},
        {"env": [{"name": "DATABASE_URL", "value": "postgresql://me@host/db?password=hunter2&sslmode=require"}]},
        {"args": ["--motto", secret("hunter2")]},
        {"command": ["server", "--password=hunter2"]},
        {"args": ["--host", "here", "--db-password", "hunter2"]},
        {"args": ["postgresql://me:hunter2@host/db"]},
        {"command": ["sh", "-c", "PGPASSWORD='hunter2' psql"]},
        {"command": ["sh", "-c", "mysql --password hunter2"]},
        {"command": ["curl", "-H", "Authorization: Bearer hunter2"]},
        {"livenessProbe": {"exec": {"command": ["redis-cli", "--password", secret("hunter2")]}}},
        {"livenessProbe": {"exec": {"command": ["redis-cli", "--password", "hunter2"]}}},
        {"readinessProbe": {"exec": {"command": ["sh", "-c", "PGPASSWORD=hunter2 pg_isready"]}}},
        {"startupProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": "Basic hunter2"}]}}},
        {"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "export TOKEN=hunter2"]}}}},
    ],
    ids=str,
)
def test_a_pod_has_no_secret(container: dict[str, Any]) -> None:
    for type_ in (DEPLOYMENT, f"{DEPLOYMENT}Patch", "kubernetes:argoproj.io/v1alpha1:Rollout"):
        (problem,) = in_the_open(type_, pod(**container))

        assert "spec.template.spec.containers.0." in problem
        assert "in the open: put it into a Secret" in problem
        assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("type_", "props"),
    [
        (CONFIG, {"data": {"server-ca.pem": secret(UNKNOWN_STRING_VALUE)}}),
        (CONFIG, {"data": {"server-ca.pem": secret(CERTIFICATE)}}),
        (CONFIG, {"data": {"DB_HOST": "10.0.0.3", "password_file": "here", "tokens_per_minute": "9"}}),
        (DEPLOYMENT, pod(env=[{"name": "PGPASSWORD", "value": "$(DB_PASSWORD)"}])),
        (DEPLOYMENT, pod(env=[{"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/etc/mlflow/cloud-key/key.json"}])),
        (DEPLOYMENT, pod(env=[{"name": "TOKEN", "value": ""}, {"name": "COMPASS", "value": "north"}])),
        (DEPLOYMENT, pod(args=["--uri", "postgresql://$(USER):$(PASSWORD)@host", "--password", "$(PASSWORD)"])),
        (DEPLOYMENT, pod(command=["sh", "-c", 'PGPASSWORD="$PASSWORD" psql --password --host=here'])),
        (DEPLOYMENT, pod(args=["--token-file=/etc/token", "--password=$(cat /run/password)"])),
        (DEPLOYMENT, pod(env=[{"name": "REQUIRE_TOKEN", "value": "true"}, {"name": "MAX_TOKEN", "value": "100"}])),
        (DEPLOYMENT, pod(env=[{"name": "DB_PASSWORD_FILE", "value": "key"}, {"name": "A_SECRET_NAME", "value": "a"}])),
        (DEPLOYMENT, pod(env=[{"name": "URL", "value": "postgresql://host/db?password=$(PASSWORD)&sslmode=require"}])),
        (DEPLOYMENT, pod(command=["pg_dump", "--no-password", "mlflow"])),
        (DEPLOYMENT, pod(command=["sh", "-c", "pg_dump --no-password mlflow"])),
        (DEPLOYMENT, pod(command=["curl", "-H", "Authorization: Bearer $(TOKEN)"])),
        (DEPLOYMENT, pod(livenessProbe={"httpGet": {"httpHeaders": [{"name": "Accept", "value": "text/html"}]}})),
        *(
            (DEPLOYMENT, pod(livenessProbe={"exec": {"command": ["sh", "-c", script]}}))
            for script in (
                *("TOKEN=$token", "PASSWORD=$1", 'PASSWORD="$1"', "DB_PASSWORD=${DB_PASSWORD:?}"),
                *("TOKEN=$(< /run/token)", "TOKEN=`cat /run/token`", 'TOKEN="${TOKEN:-$(cat /run/token)}"'),
            )
        ),
        *(
            (CONFIG, {"data": {"file": text}})
            for text in (
                *('f"postgresql://{user}:{password}@{host}/db"', "postgresql://<user>:<password>@host", "://%s:%s@"),
                *('password=os.environ["X"]', "password = getpass()", "connect(user=user, password=password)"),
                *("password: ${DB_PASSWORD}", "password: {{ .Values.x }}", 'password: "{{.Values.x}}"'),
                *("password=\nuser=me", 'password: ""\nuser: me', '{"password": "", "user": "me"}'),
                *("password:\n  secretKeyRef:\n    key: password", "token: # none", '{"token": null, "a": 1}'),
                *("passwordSecretRef: name", "existingSecret: name", "tokenReview: true", "authorization: enabled"),
                *('{"Authorization": f"Bearer {token}"}', 'read -p "Password: " PASSWORD', "WHERE token = :token"),
            )
        ),
        STACK["server"],
    ],
)
def test_what_is_no_secret_may_stand_in_the_open(type_: str, props: dict[str, Any]) -> None:
    assert in_the_open(type_, props) == []


@pytest.mark.parametrize("name", ["data", "binaryData"])
@pytest.mark.parametrize(
    "type_",
    [
        "random:index/randomPassword:RandomPassword",
        "random:index/randomBytes:RandomBytes",
        "tls:index/privateKey:PrivateKey",
        "gcp:serviceaccount/key:Key",
        "gcp:storage/hmacKey:HmacKey",
    ],
)
def test_a_config_map_is_not_made_of_a_secret_that_a_preview_cannot_know(type_: str, name: str) -> None:
    config, password = (in_stack("one", {}, protect=False, type_=each) for each in (CONFIG, type_))
    before = stack_violations(config_maps_are_not_made_of_secrets, [config, password])

    config.property_dependencies[name] = [password]

    assert before == []
    assert f"{name} is made of a" in stack_violations(config_maps_are_not_made_of_secrets, [config, password])[0]


@pytest.mark.parametrize("policy", [secrets_are_marked, credentials_come_from_secrets])
def test_without_its_remediation_a_policy_says_that_it_sees_nothing(policy: ResourceValidationPolicy) -> None:
    (problem,) = violations(policy, CONFIG, {}, name="never looked at")

    assert "leave this policy's level at 'remediate'" in problem
