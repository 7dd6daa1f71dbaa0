"""With basic-auth nobody gets past the server without a password; its tables stand in the server's own database."""

import json
import re
import secrets
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tests.image.container import Unpacked, attempt, call, serving
from tests.image.database import Database, Instance

BACKEND = "postgresql+psycopg://"
ADMIN = ("admin", "%@:/'\" is a password")
CONFIGURATION = f"""\
[mlflow]
default_permission = NO_PERMISSIONS
database_uri = {BACKEND}
admin_username = {ADMIN[0]}
auth_cache_ttl_seconds = 60
"""
OPEN = {"/health", "/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info"}
"""What answers without a password: that the server lives, and what it can do."""
FILES = "/static-files/"
"""Below it are the scripts of the user interface, the same for every server."""

_ROUTES = """
import json
from mlflow.server.auth import _MLFLOW_SGI_NAME, create_app
from mlflow.server import app
_MLFLOW_SGI_NAME.set("uvicorn")
native = [(m, r.path) for r in create_app(app).routes if hasattr(r, "methods") for m in r.methods]
print(json.dumps(native + [(m, r.rule) for r in app.url_map.iter_rules() for m in r.methods]))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configuration")
    folder.chmod(0o755)
    (folder / "basic_auth.ini").write_text(CONFIGURATION)
    return folder


def _environment(database: Database, password: str = ADMIN[1]) -> list[str]:
    return [
        *database.for_server(),
        "MLFLOW_AUTH_CONFIG_PATH=/shared/basic_auth.ini",
        f"MLFLOW_AUTH_ADMIN_PASSWORD={password}",
        "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only",
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("users")


@pytest.fixture(scope="module")
def database(image: Unpacked, instance: Instance, folder: Path, shared: Path) -> Database:
    database = instance.database()
    call(image, folder, ["mlflow-database-account", "prepare"], database.for_administrator())
    call(image, folder, ["mlflow", "db", "upgrade", BACKEND], database.for_server())
    call(image, folder, ["mlflow-auth-prepare"], _environment(database), shared=shared)
    return database


@pytest.fixture(scope="module")
def server(image: Unpacked, folder: Path, database: Database, shared: Path) -> Generator[httpx.Client]:
    places = ["--artifacts-destination", "/tmp/artifacts", "--expose-prometheus", "/tmp/metrics"]  # noqa: S108 - the container's own
    options = ["--backend-store-uri", BACKEND, "--app-name", "basic-auth", *places]
    with serving(image, folder, options, _environment(database), shared=shared) as client:
        yield client


@pytest.fixture(scope="module")
def routes(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Every method and path that the server knows, parameters filled in."""
    environment = ["MLFLOW_FLASK_SERVER_SECRET_KEY=x", f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN[1]}"]
    said = call(image, tmp_path_factory.mktemp("routes"), ["python3", "-c", _ROUTES], environment)
    found = {(method, re.sub(r"<[^>]*>|\{[^}]*\}", "x", path)) for method, path in json.loads(said.splitlines()[-1])}
    return sorted(found - {(method, path) for method, path in found if method in {"HEAD", "OPTIONS"}})


@pytest.mark.parametrize("login", [None, (ADMIN[0], "wrong"), ("nobody", ADMIN[1]), (ADMIN[0], "")])
def test_no_route_is_open_without_a_password(
    server: httpx.Client, routes: list[tuple[str, str]], login: tuple[str, str] | None
) -> None:
    guarded = [(method, path) for method, path in routes if path not in OPEN and not path.startswith(FILES)]
    # A wrong password is hashed, which takes a while: one path of each kind is enough for it.
    asked = guarded if login is None else guarded[::12]

    answers = {(method, path): server.request(method, path, auth=login).status_code for method, path in asked}

    assert len(guarded) > 300
    assert {route: status for route, status in answers.items() if status != httpx.codes.UNAUTHORIZED} == {}


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

    call(image, tmp_path, ["mlflow-auth-prepare"], _environment(database, changed[1]), shared=shared)
    try:
        assert server.get("/version", auth=changed).status_code == httpx.codes.OK
    finally:
        call(image, tmp_path, ["mlflow-auth-prepare"], _environment(database), shared=shared)


def test_a_password_that_mlflow_refuses_is_named_in_a_line(
    image: Unpacked, tmp_path: Path, instance: Instance, shared: Path
) -> None:
    fresh = instance.database()
    call(image, tmp_path, ["mlflow-database-account", "prepare"], fresh.for_administrator())
    done = attempt(image, tmp_path, ["mlflow-auth-prepare"], _environment(fresh, "short"), shared=shared)

    assert done.returncode == 1
    assert "MLFLOW_AUTH_ADMIN_PASSWORD" in done.stderr.splitlines()[-1]
