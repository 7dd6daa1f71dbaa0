"""With basic-auth every route of the server asks for a password: of Flask, of FastAPI and of what they include."""

import re
from collections.abc import Generator

import httpx
import pytest

from tests.image.container import Unpacked, call, serving
from tests.image.routes import WALK, Route
from tests.image.routes import routes as listed

ADMIN = ("admin", "a password for this test only")
ENVIRONMENT = [f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN[1]}", "MLFLOW_FLASK_SERVER_SECRET_KEY=for-this-test-only"]
OPEN = {"/health", "/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info"}
"""What answers without a password: that the server lives, and what it can do."""
FILES = "/static-files/"
"""Below it are the scripts of the user interface, the same for every server."""
FEWEST = {"fastapi": 81, "flask": 463}
"""How many routes of each kind 3.17.2 has, once parameters are filled in; a walk that finds fewer has lost some."""
ROUTERS = [
    "/v1/traces",
    "/ajax-api/3.0/jobs/x",
    "/gateway/x/mlflow/invocations",
    "/ajax-api/3.0/mlflow/assistant/message",
    "/api/2.0/mlflow-artifacts/artifacts/x",
    "/api/3.0/mlflow/mcp-servers/x",
    "/health",
]
"""A path of each router that MLflow's application includes."""


@pytest.fixture(scope="module")
def routes(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Route]]:
    """Every method and path that the server knows, parameters filled in, by who answers it."""
    said = call(image, tmp_path_factory.mktemp("routes"), ["python3", "-c", WALK], ENVIRONMENT)
    return {
        kind: {(method, re.sub("<[^>]*>", "x", path)) for method, path in found} for kind, found in listed(said).items()
    }


@pytest.fixture(scope="module")
def server(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    folder = tmp_path_factory.mktemp("guarded")
    options = ["--app-name", "kubernetes-basic-auth", "--expose-prometheus", "/tmp/metrics"]  # noqa: S108 - the container's own
    with serving(image, folder, options, ENVIRONMENT) as client:
        yield client


def test_no_router_is_overlooked(routes: dict[str, set[Route]]) -> None:
    paths = {path for _, path in routes["fastapi"]}

    assert {kind: len(found) >= FEWEST[kind] for kind, found in routes.items()} == dict.fromkeys(FEWEST, True), {
        kind: len(found) for kind, found in routes.items()
    }
    assert [path for path in ROUTERS if path not in paths] == []


@pytest.mark.parametrize("login", [None, (ADMIN[0], "wrong"), ("nobody", ADMIN[1]), (ADMIN[0], "")])
def test_no_route_is_open_without_a_password(
    server: httpx.Client, routes: dict[str, set[Route]], login: tuple[str, str] | None
) -> None:
    every = sorted(routes["fastapi"] | routes["flask"])
    guarded = [(method, path) for method, path in every if path not in OPEN and not path.startswith(FILES)]
    # A wrong password is hashed, which takes a while: one path of each kind is enough for it.
    asked = guarded if login is None else guarded[::24]

    answers = {(method, path): server.request(method, path, auth=login).status_code for method, path in asked}

    assert {route: status for route, status in answers.items() if status != httpx.codes.UNAUTHORIZED} == {}


def test_the_right_password_opens(server: httpx.Client) -> None:
    assert server.get("/version", auth=ADMIN).status_code == httpx.codes.OK
