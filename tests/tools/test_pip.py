"""A build of an image reaches the registry the way that pip does on this machine, and learns nothing else of it."""

import os
from pathlib import Path

import pytest

from local import pip
from local.virtualenv import PYTHON


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, where no settings and no certificates of the machine are found."""
    for name in [*os.environ]:
        if name.startswith("PIP_") or name in {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(pip, "SYSTEM_CERTIFICATES", str(tmp_path / "none.pem"))
    return tmp_path


@pytest.fixture
def file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own file of settings."""
    monkeypatch.setenv("PIP_CONFIG_FILE", str(folder / "own.conf"))
    return folder / "own.conf"


def _in_the_build(folder: Path) -> str:
    """Return pip's settings as a build sees them."""
    assert pip.secrets(PYTHON, folder)[0] == f"--secret=id=pip,src={folder}/pip.conf"
    return (folder / "pip.conf").read_text()


def test_a_persons_own_file_is_read(folder: Path, file: Path) -> None:
    file.write_text("[global]\nindex-url = http://mirror.example/simple\n")

    assert "index-url = http://mirror.example/simple\n" in _in_the_build(folder)


def test_the_environment_wins_over_files_and_the_section_of_installs_over_the_general_one(
    folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[global]\ntimeout = 15\nretries = 1\n[install]\nretries = 2\n")
    monkeypatch.setenv("PIP_TIMEOUT", "90")

    assert "timeout = 90\nretries = 2\n" in _in_the_build(folder)


def test_several_registries_become_one_line(folder: Path, file: Path) -> None:
    file.write_text("[global]\nextra-index-url =\n  http://one.example\n  http://two.example\n")

    assert "extra-index-url = http://one.example http://two.example\n" in _in_the_build(folder)


def test_settings_about_other_things_stay_outside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")

    assert _in_the_build(folder) == "[global]\n"


@pytest.mark.parametrize("variable", ["PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_are_a_secret_of_the_build(folder: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bundle.pem").write_text("of a proxy")
    monkeypatch.setenv(variable, str(folder / "bundle.pem"))

    assert pip.secrets(PYTHON, folder)[1] == f"--secret=id=certificates,src={folder}/certificates.pem"
    assert (folder / "certificates.pem").read_text() == "of a proxy"
    assert _in_the_build(folder) == "[global]\ncert = /run/secrets/certificates\n"


def test_without_certificates_of_its_own_a_build_uses_those_of_pip(folder: Path) -> None:
    assert len(pip.secrets(PYTHON, folder)) == 1
