"""A command that cannot work says so before anything is touched."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.kubernetes import APP
from operations import server
from operations.errors import UserError
from operations.restore import restore
from operations.stack import Stack
from operations.upgrade import downgrade, upgrade
from tests.gcp.standin import StandIn
from tests.operations.conftest import deployed
from tests.scratch import PROJECT

PROGRAMS = {"pulumi": '#!/bin/sh\necho "error: no stack named $5 found" >&2\nexit 255\n'}


def typed(path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Return what a command line comes to."""
    return subprocess.run(
        [sys.executable, "-m", "operations", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={"PATH": path},
    )


def test_a_verb_without_a_stack_is_refused() -> None:
    done = typed("/nowhere", "rotate")

    assert done.returncode == 2
    assert "--stack" in done.stderr


def test_without_pulumi_the_remedy_is_named() -> None:
    done = typed("/nowhere", "drift", "--stack", "prod")

    assert done.returncode == 2
    assert done.stderr == (
        'error: `pulumi` is not on PATH: install it; with the local stand-ins type `eval "$(python3 -m local env)"`\n'
    )


def test_what_the_engine_says_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "pulumi").write_text(PROGRAMS["pulumi"])
    (tmp_path / "pulumi").chmod(0o755)

    done = typed(f"{tmp_path}:/bin", "drift", "--stack", "elsewhere")

    assert done.returncode == 2
    assert "`pulumi config --json --stack elsewhere` ended with status 255" in done.stderr
    assert "no stack named" in done.stderr


@pytest.fixture
def stack(standin: StandIn) -> Stack:
    """A stack that nothing is asked of."""
    return deployed(standin, **{"gcp:sqlCustomEndpoint": "http://127.0.0.1:1/"})


@pytest.mark.parametrize("image", ["registry/mlflow", "registry/mlflow:latest", ""])
def test_an_image_that_can_change_under_its_name_is_refused(stack: Stack, image: str) -> None:
    for attempt in (lambda: upgrade(stack, image), lambda: downgrade(stack, image, "1", confirmed=True)):
        with pytest.raises(UserError, match=f"^IMAGE {image}: "):
            attempt()


def test_a_durable_stack_takes_an_image_by_its_digest_alone(standin: StandIn) -> None:
    stack = deployed(standin, **{"mlflow:durable": "true", "gcp:sqlCustomEndpoint": "http://127.0.0.1:1/"})

    for attempt in (lambda: upgrade(stack, "mlflow:2"), lambda: downgrade(stack, "mlflow:2", "1", confirmed=True)):
        with pytest.raises(UserError, match=r"^IMAGE mlflow:2: .*by digest, <name>@sha256:<digest>"):
            attempt()


@pytest.mark.parametrize("url", ["kept-backups/2026", "gs://kept-backups", "gs://kept-backups/", "gs:///2026"])
def test_what_is_no_address_of_a_backup_is_refused(stack: Stack, url: str) -> None:
    with pytest.raises(UserError, match=f"^{url}: give the address of a backup, gs://<bucket>/<time>"):
        restore(stack, url, overwrite=True)


def test_a_stack_knows_its_file_and_how_many_pods_it_may_have(standin: StandIn) -> None:
    stack = deployed(standin, **{"mlflow:replicas": "2", "mlflow:maxReplicas": "0"})

    assert stack.file == "Pulumi.prod.yaml"
    assert Stack(name="team/mlflow/prod", settings={}, outputs={}).file == "Pulumi.prod.yaml"
    assert stack.replicas == (2, 2)
    assert deployed(standin, **{"mlflow:replicas": "2", "mlflow:maxReplicas": "4"}).replicas == (2, 4)


def test_the_server_goes_by_the_name_that_the_program_gives_it() -> None:
    assert server.APP == APP
