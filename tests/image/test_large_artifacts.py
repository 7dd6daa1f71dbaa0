"""Artifacts pass through the server in small pieces: over slow lines, many at a time, and on a disk that holds none."""

import random
import secrets
import socket
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local.process import wait_for
from settings.server import least_memory
from tests.gcp.standin import PROJECT, StandIn
from tests.image.container import TMP_MIB, Unpacked, serving
from tests.image.lines import slow
from tests.large import MIB

BUCKET = "large"
PATH = "/api/2.0/mlflow-artifacts/artifacts"
PATIENCE_SECONDS = 5  # of a client that waits for an answer, or its next part
AT_ONCE = 24

Serve = Callable[..., httpx.Client]


@dataclass(frozen=True)
class Artifacts:
    """Stores and fetches, as a client that waits for PATIENCE_SECONDS."""

    client: httpx.Client

    def put(self, name: str, content: bytes) -> int:
        """Return the status of an upload."""
        return self.client.put(f"{PATH}/{name}", content=content, timeout=PATIENCE_SECONDS).status_code

    def get(self, name: str) -> bytes:
        """Return what a download holds."""
        return self.client.get(f"{PATH}/{name}", timeout=PATIENCE_SECONDS).raise_for_status().content


def _options(image_store: str) -> list[str]:
    return ["--backend-store-uri", "sqlite:////tmp/mlflow.db", "--artifacts-destination", image_store]


def _environment(url: str) -> list[str]:
    return [f"STORAGE_EMULATOR_HOST={url}", f"GOOGLE_CLOUD_PROJECT={PROJECT}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, standin: StandIn) -> Path:
    standin.storage().create_bucket(BUCKET)
    return tmp_path_factory.mktemp("large")


@pytest.fixture(scope="module")
def artifacts(image: Unpacked, folder: Path, standin: StandIn) -> Generator[Artifacts]:
    with serving(image, folder / "server", _options(f"gs://{BUCKET}"), _environment(standin.url)) as client:
        yield Artifacts(client)


@pytest.fixture(scope="module")
def slow_artifacts(image: Unpacked, folder: Path, standin: StandIn) -> Generator[Artifacts]:
    """A server whose line to Cloud Storage passes 2 MiB a second."""
    with (
        slow(standin.url, 2 * MIB) as url,
        serving(image, folder / "slow", _options(f"gs://{BUCKET}"), _environment(url)) as client,
    ):
        yield Artifacts(client)


def test_clients_are_not_told_to_upload_in_parts(artifacts: Artifacts) -> None:
    information = artifacts.client.get("/api/3.0/mlflow/server-info").json()

    assert information["multipart_uploads_enabled"] is False


def test_an_artifact_larger_than_the_disk_goes_up_and_comes_down(artifacts: Artifacts) -> None:
    content = secrets.token_bytes(2 * TMP_MIB * MIB)

    assert artifacts.put("larger", content) == httpx.codes.OK
    assert artifacts.get("larger") == content


def test_an_empty_artifact_goes_up_and_comes_down(artifacts: Artifacts) -> None:
    assert artifacts.put("empty", b"") == httpx.codes.OK
    assert artifacts.get("empty") == b""


def test_a_slow_line_takes_its_time_and_the_client_need_not_wait_longer(slow_artifacts: Artifacts) -> None:
    content = secrets.token_bytes(4 * PATIENCE_SECONDS * MIB)  # twice as long as the client would wait

    assert slow_artifacts.put("slow", content) == httpx.codes.OK
    assert slow_artifacts.get("slow") == content


@pytest.mark.parametrize("workers", [1, 2])
def test_many_artifacts_at_once_fit_into_the_least_memory(
    image: Unpacked, folder: Path, standin: StandIn, workers: int
) -> None:
    content = secrets.token_bytes(20 * MIB)
    environment, limit = _environment(standin.url), least_memory(workers)
    with (
        serving(
            image,
            folder / f"of-{workers}",
            _options(f"gs://{BUCKET}"),
            environment,
            memory_mib=limit,
            workers=workers,
        ) as client,
        ThreadPoolExecutor(AT_ONCE) as clients,
    ):
        url = str(client.base_url)

        def up(number: int) -> int:
            return httpx.put(f"{url}{PATH}/many/{number}", content=content, timeout=120).status_code

        def down(number: int) -> bool:
            return httpx.get(f"{url}{PATH}/many/{number}", timeout=120).content == content

        assert set(clients.map(up, range(AT_ONCE))) == {httpx.codes.OK}
        assert all(clients.map(down, range(AT_ONCE)))


def test_what_a_client_breaks_off_is_forgotten(artifacts: Artifacts, standin: StandIn) -> None:
    url = artifacts.client.base_url
    with socket.create_connection((url.host, url.port or 80)) as connection:
        head = f"PUT {PATH}/broken HTTP/1.1\r\nHost: localhost\r\nContent-Length: {100 * MIB}\r\n\r\n"
        connection.sendall(head.encode() + bytes(20 * MIB))
        wait_for(lambda: standin.open_uploads() == 1, what="the upload", deadline=10)

    wait_for(lambda: standin.open_uploads() == 0, what="its end", deadline=10)
    assert artifacts.client.get(f"{PATH}/broken").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("path", ["nothing", "in"])
def test_what_is_no_artifact_is_not_found(artifacts: Artifacts, path: str) -> None:
    artifacts.put("in/a folder", b"x")

    assert artifacts.client.get(f"{PATH}/{path}").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=3-9999999", 3, 9_999_999),
        ("bytes=10485000-", 10_485_000, 10_485_759),
        ("bytes=10485000-99999999", 10_485_000, 10_485_759),
        ("bytes=-5", 10_485_755, 10_485_759),
    ],
)
def test_a_part_of_an_artifact_is_sent_alone(artifacts: Artifacts, asked: str, first: int, last: int) -> None:
    content = random.Random(1).randbytes(10 * MIB)  # noqa: S311 - the same for each
    artifacts.put("film", content)

    answer = artifacts.client.get(f"{PATH}/film", headers={"range": asked})

    assert answer.status_code == httpx.codes.PARTIAL_CONTENT
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(content)}"
    assert answer.content == content[first : last + 1]


@pytest.mark.parametrize(
    "headers",
    [
        {"range": "bytes=4-"},
        {"range": "bytes=2-1"},
        {"range": "bytes=-0"},
        {"range": "bytes=-"},
        {"range": "bytes=0-0,2-2"},
        {"range": "lines=0-1"},
        {"range": "bytes=0-1", "if-range": '"before"'},
    ],
)
def test_what_is_no_part_is_answered_with_all(artifacts: Artifacts, headers: dict[str, str]) -> None:
    artifacts.put("short", b"abcd")

    answer = artifacts.client.get(f"{PATH}/short", headers=headers)

    assert (answer.status_code, answer.content) == (httpx.codes.OK, b"abcd")
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_damaged_artifact_is_broken_off(artifacts: Artifacts, standin: StandIn) -> None:
    content = secrets.token_bytes(5 * MIB)
    artifacts.put("damaged", content)
    (file,) = (file for file in standin.contents() if file.read_bytes() == content)
    file.write_bytes(bytes(1) + content[1:])

    with pytest.raises(httpx.RemoteProtocolError):
        artifacts.get("damaged")


def test_the_user_interface_downloads_likewise(artifacts: Artifacts) -> None:
    body = {"experiment_id": "0"}
    run = artifacts.client.post("/api/2.0/mlflow/runs/create", json=body).json()["run"]["info"]["run_id"]
    content = secrets.token_bytes(2 * TMP_MIB * MIB)
    artifacts.put(f"0/{run}/artifacts/model.bin", content)

    answer = artifacts.client.get("/get-artifact", params={"run_id": run, "path": "model.bin"})

    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
