"""Pages of other origins have nothing done by the server, at any path; programs and its own pages do."""

from collections.abc import Generator

import httpx
import pytest

from tests.image.container import Unpacked, serving

OWN = "https://mlflow.example.com"
PATHS = ["/v1/traces", "/gateway/x/mlflow/invocations", "/gateway/openai/v1/chat/completions", "/graphql", "/signup"]
"""Those that MLflow itself does not guard."""
GUARDED = ["/api/2.0/mlflow/experiments/create", "/ajax-api/2.0/mlflow/runs/create"]


@pytest.fixture(scope="module")
def server(image: Unpacked, tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    with serving(image, tmp_path_factory.mktemp("origins"), ["--cors-allowed-origins", OWN]) as client:
        yield client


def _sent(server: httpx.Client, path: str, method: str = "POST", **headers: str) -> int:
    """Send what a form of a page can, without being asked for leave first."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request(method, path, content="{}", headers={"content-type": "text/plain", **named}).status_code


@pytest.mark.parametrize("path", [*PATHS, *GUARDED])
@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "", f"{OWN}.evil.example.com"])
def test_a_foreign_page_is_refused(server: httpx.Client, path: str, origin: str) -> None:
    assert _sent(server, path, origin=origin) == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_page_that_hides_its_origin_is_refused(server: httpx.Client, method: str) -> None:
    assert _sent(server, PATHS[1], method, sec_fetch_site="cross-site") == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("path", [*PATHS, *GUARDED])
@pytest.mark.parametrize("origin", [OWN, "http://localhost:3000"])
def test_an_allowed_page_gets_an_answer(server: httpx.Client, path: str, origin: str) -> None:
    assert _sent(server, path, origin=origin, sec_fetch_site="cross-site") != httpx.codes.FORBIDDEN


@pytest.mark.parametrize("path", [*PATHS, *GUARDED])
def test_a_program_gets_an_answer(server: httpx.Client, path: str) -> None:
    assert _sent(server, path) != httpx.codes.FORBIDDEN


def test_a_link_from_a_foreign_page_opens(server: httpx.Client) -> None:
    answer = server.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})

    assert answer.status_code == httpx.codes.OK


def test_the_refusal_names_the_setting(server: httpx.Client) -> None:
    answer = server.post(PATHS[1], headers={"origin": "https://evil.example.com"})

    assert "--cors-allowed-origins" in answer.text
