"""The clone's own Python environment is made once, whole, by one at a time."""

import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local import pip, virtualenv
from tests.scratch import PROJECT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a project that needs nothing."""
    (tmp_path / "requirements.txt").touch()
    shutil.copy(PROJECT / virtualenv.INSTALLER, tmp_path)
    monkeypatch.setattr(virtualenv, "PROJECT", tmp_path)
    monkeypatch.setattr(virtualenv, "FOLDER", tmp_path / ".venv")
    monkeypatch.setattr(virtualenv, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    return tmp_path / ".venv"


def test_half_of_an_environment_is_made_whole(folder: Path) -> None:
    whole = ["python3", "-m", "venv", "--without-pip", folder]
    subprocess.run(whole, check=True)  # as one that was killed before it had pip

    virtualenv.provide("requirements.txt")

    subprocess.run([folder / "bin" / "python", "-m", "pip", "--version"], check=True, stdout=subprocess.DEVNULL)


def test_two_at_once_install_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installing, go_on = threading.Event(), threading.Event()
    commands: list[str] = []

    def run(argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        commands.append("uv" if env is not None else "pip" if "pip" in argv else "venv")
        installing.set()
        assert go_on.wait(10)

    monkeypatch.setattr(virtualenv, "run", run)
    monkeypatch.setattr(pip, "output", str)  # nothing of pip's
    both = [threading.Thread(target=virtualenv.provide, args=("requirements.txt",)) for _ in range(2)]
    both[0].start()
    assert installing.wait(10)
    both[1].start()
    go_on.set()
    for each in both:
        each.join(10)

    assert commands == ["venv", "pip", "uv"]
    assert list(folder.glob(".requirements.txt-*"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("settings", "index"),
    [
        ("global.timeout='9'", {}),
        (
            ":env:.index-url='https://a.example/simple'\nglobal.index-url='https://b.example/simple'\ninstall.cert='/ca.pem'",
            {"UV_DEFAULT_INDEX": "https://a.example/simple", "SSL_CERT_FILE": "/ca.pem"},
        ),
    ],
)
def test_packages_come_from_where_pip_finds_them(
    monkeypatch: pytest.MonkeyPatch, settings: str, index: dict[str, str]
) -> None:
    told: list[Mapping[str, str] | None] = []

    def run(_: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        told.append(env)

    def output(_: Sequence[str | Path]) -> str:
        return settings

    monkeypatch.setattr(virtualenv, "run", run)
    monkeypatch.setattr(pip, "output", output)
    for variable in ("UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)
    virtualenv.FOLDER.mkdir()

    virtualenv.provide("requirements.txt")

    assert told[-1] == index
