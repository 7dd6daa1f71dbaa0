"""What is said where Docker or minikube cannot be used, before anything is started; the programs here are fakes."""

import json
import os
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import OpenerDirector

import pytest

from local.errors import UserError
from local.instance import Instance
from local.minikube import checks, docker, registries

MINE = Instance("mine")


@pytest.fixture(autouse=True)
def somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user other than root, without any of the machine's programs and without an engine of our own."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(docker, "FOLDER", tmp_path / "engine")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()


@pytest.fixture
def program(tmp_path: Path) -> "Program":
    """Puts programs on PATH."""
    return Program(tmp_path / "bin")


class Program:
    """A folder of programs that print what they are told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, prints: str = "", *, complains: str = "", status: int = 0) -> None:
        """Make a program with a fixed answer."""
        file = self._folder / name
        file.write_text(f"#!/bin/sh\necho '{prints}'\necho '{complains}' >&2\nexit {status}\n")
        file.chmod(0o755)


def test_without_docker_it_is_told_how_to_install_it() -> None:
    with pytest.raises(UserError, match=r"`docker` is not on PATH: run `sudo apt-get install docker\.io`"):
        docker.up(MINE.name)


def test_an_engine_that_does_not_run_is_told_how_to_start_it(program: Program) -> None:
    program.put("docker", complains="Cannot connect to the Docker daemon", status=1)

    with pytest.raises(UserError, match=r"does not answer \(Cannot connect.*`sudo systemctl start docker`"):
        docker.up(MINE.name)


def test_who_may_not_use_the_engine_is_told_which_group_may(program: Program) -> None:
    program.put("docker", complains="permission denied while trying to connect", status=1)

    with pytest.raises(UserError, match=r"does not let this user in.*usermod -aG docker"):
        docker.up(MINE.name)


def test_an_engine_that_answers_is_used_as_it_is(program: Program) -> None:
    program.put("docker", "Version: 28.2.2")

    docker.up(MINE.name)

    assert docker.environment() == {}


def test_who_may_not_enter_the_network_of_a_node_is_told_so() -> None:
    with pytest.raises(UserError, match=r"enters the network of a node as root, and this is user id 1000"):
        checks.user()


@pytest.mark.parametrize(("found", "taken"), [("v1.38.1", True), ("v1.36.0", True), ("v1.35.0", False), ("?", False)])
def test_a_minikube_that_is_too_old_is_refused(program: Program, found: str, *, taken: bool) -> None:
    program.put("minikube", found)

    if taken:
        checks.version()
    else:
        with pytest.raises(UserError, match=r"`minikube` is .*, v1\.36 or newer is needed"):
            checks.version()


@pytest.mark.parametrize(("name", "taken"), [(MINE.profile, True), (f"{MINE.profile}-2", False)])
def test_a_name_that_somebody_uses_in_docker_is_refused(program: Program, name: str, *, taken: bool) -> None:
    program.put("docker", name)

    if taken:
        with pytest.raises(UserError, match=rf"has a container '{MINE.profile}' already.*MLFLOW_LOCAL_INSTANCE"):
            checks.names(MINE)
    else:
        checks.names(MINE)


def engine(*, cpus: int, gib: float) -> str:
    """Return what `docker info` tells of an engine."""
    return json.dumps({"MemTotal": int(gib * checks.GIB), "NCPU": cpus, "DockerRootDir": "/nowhere"})


def test_an_engine_with_room_is_taken(program: Program) -> None:
    program.put("docker", engine(cpus=2, gib=4))

    checks.room()


@pytest.mark.parametrize(("cpus", "gib"), [(1, 8.0), (4, 3.4)])
def test_too_little_room_for_the_node_is_refused(program: Program, cpus: int, gib: float) -> None:
    program.put("docker", engine(cpus=cpus, gib=gib))

    with pytest.raises(UserError, match=rf"Docker has {cpus} CPUs and {gib} GiB.*the node needs 2 and 3.5 GiB"):
        checks.room()


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        (f"10.89.{MINE.number}.128/25", True),
        ("10.89.0.0/16", True),
        ("10.0.0.0/8", False),
        ("default", False),
        ("192.168.7.0/24", False),
    ],
)
def test_addresses_that_are_in_use_are_refused(program: Program, route: str, *, taken: bool) -> None:
    program.put("ip", f'[{{"dst": "{route}", "dev": "eth7"}}]')

    if taken:
        with pytest.raises(UserError, match=r"is in use on this machine: .* goes to eth7"):
            checks.addresses(MINE)
    else:
        checks.addresses(MINE)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int | None]]:
    """What each registry answers, by its address: a status, or None for nothing at all."""
    answers: dict[str, int | None] = dict.fromkeys(registries.ADDRESSES, 401)

    def fail(_: OpenerDirector, address: str, *, timeout: float) -> NoReturn:
        assert timeout <= 5
        status = answers[address]
        raise HTTPError(address, status, "", Message(), None) if status else URLError("no such host")

    monkeypatch.setattr(OpenerDirector, "open", fail)
    registries.answer.cache_clear()
    yield answers
    registries.answer.cache_clear()


def test_registries_that_want_a_login_answer(registry: dict[str, int | None]) -> None:
    assert registry
    assert registries.answer()


@pytest.mark.parametrize("said", [None, 403, 502])
def test_a_registry_that_does_not_answer_is_named_once(
    registry: dict[str, int | None], capsys: pytest.CaptureFixture[str], said: int | None
) -> None:
    registry["https://registry.k8s.io/v2/"] = said

    assert not registries.answer()
    assert not registries.answer()
    assert capsys.readouterr().err.count("https://registry.k8s.io/v2/ does not answer") == 1
