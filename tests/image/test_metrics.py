"""`mlflow-metrics` serves what all workers of a server wrote, to whoever reaches its port."""

import re
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from local.process import wait_for
from tests.image.container import Running, Unpacked, attempt, free_port, running, serving

REQUESTS = 40


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "metrics"
    folder.mkdir()
    folder.chmod(0o777)  # the container's user is none of this machine
    return folder


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def container(image: Unpacked, tmp_path: Path, shared: Path, port: int) -> Generator[Running]:
    command = ["mlflow-metrics", "/shared", str(port)]
    with running(image, tmp_path / "exporter", command, shared=shared) as container:
        wait_for(lambda: _listens(container, port), what="the exporter", deadline=30, log=container.log)
        yield container


def _listens(container: Running, port: int) -> bool:
    assert container.process.poll() is None, container.log.read_text()
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics").is_success
    except httpx.TransportError:
        return False


def test_the_requests_of_all_workers_are_counted(
    image: Unpacked, tmp_path: Path, shared: Path, port: int, container: Running
) -> None:
    options = ["--workers", "2", "--expose-prometheus", "/shared"]
    with serving(image, tmp_path / "server", options, shared=shared) as client:
        for _ in range(REQUESTS):
            # A connection each, so that both workers get some.
            httpx.get(f"{client.base_url}/api/2.0/mlflow/experiments/search?max_results=1").raise_for_status()
        httpx.get(f"{client.base_url}/api/2.0/mlflow/experiments/get?experiment_id=none")
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", headers={"host": "10.0.0.7:9090"}).text

    assert container.process.poll() is None
    assert len({file.name.rpartition("_")[2] for file in shared.glob("counter_*.db")}) == 2
    assert _value(answer, 'mlflow_http_request_total{method="GET",status="200"}') == REQUESTS
    assert _value(answer, 'mlflow_http_request_total{method="GET",status="400"}') == 1
    assert "mlflow_http_request_duration_seconds_bucket{" in answer


def _value(metrics: str, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", metrics, re.MULTILINE)
    assert found, metrics
    return float(found[1])


def test_the_exporter_ends_when_asked_to(container: Running) -> None:
    container.process.terminate()

    assert container.process.wait(10) == 0


def test_the_exporter_says_how_it_is_called(image: Unpacked, tmp_path: Path) -> None:
    assert "`mlflow-metrics /metrics 9090`" in attempt(image, tmp_path, ["mlflow-metrics", "/metrics"]).stderr
