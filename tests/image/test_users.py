"""With basic-auth nobody gets past the server without a password; its tables stand in the server's own database."""

import secrets
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tests.image.container import Unpacked, attempt, call, serving
from tests.image.database import Database, Instance
from tests.image.test_routes import OPEN
from tests.image.users import ADMIN, APP, configure, prepare

BACKEND = "postgresql+psycopg2://"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configuration")


def _environment(database: Database, shared: Path, password: str = ADMIN[1]) -> list[str]:
    return [*database.for_server(), *configure(shared, permission="NO_PERMISSIONS", password=password)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("users")


@pytest.fixture(scope="module")
def database(image: Unpacked, instance: Instance, folder: Path, shared: Path) -> Database:
    database = instance.database()
    call(image, folder, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, folder, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    prepare(image, folder, _environment(database, shared), shared)
    return database


@pytest.fixture(scope="module")
def server(image: Unpacked, folder: Path, database: Database, shared: Path) -> Generator[httpx.Client]:
    places = ["--artifacts-destination", "/tmp/artifacts", "--expose-prometheus", "/tmp/metrics"]  # noqa: S108 - the container's own
    options = ["--backend-store-uri", BACKEND, *APP, *places]
    with serving(image, folder, options, _environment(database, shared), shared=shared) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/", None),
        ("GET", "/version", None),
        ("GET", "/metrics", None),
        ("GET", "/signup", None),
        ("GET", "/api/2.0/mlflow/experiments/search?max_results=5", None),
        ("GET", "/ajax-api/2.0/mlflow/experiments/search?max_results=5", None),
        ("POST", "/api/2.0/mlflow/experiments/create", {"name": "with a password"}),
        ("POST", "/graphql", {"query": "{ __typename }"}),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts", None),
        ("GET", "/ajax-api/2.0/mlflow-artifacts/artifacts", None),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/x/file", None),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/x/file", None),
        ("GET", "/api/2.0/mlflow/registered-models/search", None),
        ("GET", "/api/2.0/mlflow/users/list", None),
    ],
)
def test_the_right_password_opens(server: httpx.Client, method: str, path: str, body: dict[str, str] | None) -> None:
    assert server.request(method, path, json=body).status_code == httpx.codes.UNAUTHORIZED
    assert server.request(method, path, json=body, auth=ADMIN).status_code == httpx.codes.OK


def test_traces_are_taken_with_a_password_alone(server: httpx.Client) -> None:
    headers = {"content-type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}

    assert server.post("/v1/traces", headers=headers).status_code == httpx.codes.UNAUTHORIZED
    # It is read, and found to hold no span.
    assert server.post("/v1/traces", headers=headers, auth=ADMIN).status_code == httpx.codes.BAD_REQUEST


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_is_open_names_nothing_that_is_kept(server: httpx.Client, path: str) -> None:
    answer = server.get(path)

    assert answer.status_code == httpx.codes.OK
    assert "postgres" not in answer.text
    assert "Default" not in answer.text


def test_metrics_are_for_the_administrator(server: httpx.Client) -> None:
    user = (secrets.token_hex(8), secrets.token_hex(8))
    body = {"username": user[0], "password": user[1]}
    assert server.post("/api/2.0/mlflow/users/create", json=body, auth=ADMIN).is_success

    assert server.get("/metrics", auth=user).status_code == httpx.codes.FORBIDDEN


def test_users_and_runs_are_tables_of_one_owner(database: Database) -> None:
    tables = {name for (name,) in database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    owners = database.ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")

    assert {"alembic_version", "alembic_version_auth", "runs", "users"} <= tables
    assert owners == [(database.owner,)]


def test_another_password_of_the_administrator_counts(
    image: Unpacked, tmp_path: Path, server: httpx.Client, database: Database, shared: Path
) -> None:
    changed = (ADMIN[0], "another password")
    assert server.get("/version", auth=changed).status_code == httpx.codes.UNAUTHORIZED

    call(image, tmp_path, ["mlflow-auth-prepare"], _environment(database, shared, changed[1]), shared=shared)
    try:
        assert server.get("/version", auth=changed).status_code == httpx.codes.OK
    finally:
        call(image, tmp_path, ["mlflow-auth-prepare"], _environment(database, shared), shared=shared)


def test_a_password_that_mlflow_refuses_is_named_in_a_line(
    image: Unpacked, tmp_path: Path, instance: Instance, shared: Path
) -> None:
    fresh = instance.database()
    call(image, tmp_path, ["mlflow-database-account", "prepare"], fresh.for_administrator())
    done = attempt(image, tmp_path, ["mlflow-auth-prepare"], _environment(fresh, shared, "short"), shared=shared)

    assert done.returncode == 1
    assert "MLFLOW_AUTH_ADMIN_PASSWORD" in done.stderr.splitlines()[-1]
