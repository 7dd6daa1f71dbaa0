"""A build reaches the registry the way that pip does on this machine, and learns nothing else of it."""

import os
from pathlib import Path

import pytest

from local.image import registry


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*os.environ]:
        if name.startswith("PIP_") or name in {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def _write_settings(home: Path, text: str) -> None:
    file = home / "config/pip/pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_a_persons_own_file_is_read(home: Path) -> None:
    _write_settings(home, "[global]\nindex-url = http://mirror.example/simple\n")

    assert registry.pip_settings()["index-url"] == "http://mirror.example/simple"


def test_the_environment_wins_over_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_settings(home, "[install]\ntimeout = 15\n")
    monkeypatch.setenv("PIP_TIMEOUT", "90")

    assert registry.pip_settings()["timeout"] == "90"


def test_settings_about_other_things_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")

    assert {"user", "require-virtualenv"} & set(registry.pip_settings()) == set()


def test_certificates_are_readable_inside_the_build(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = home / "bundle.pem"
    bundle.touch()
    monkeypatch.setenv("PIP_CERT", str(bundle))

    assert f"{bundle}:{bundle}:ro" in registry.mounts(home)
    assert f"cert = {bundle}\n" in (home / "pip.conf").read_text()


def test_the_settings_become_pips_own_file_inside_the_build(home: Path) -> None:
    assert registry.mounts(home)[0] == f"{home}/pip.conf:/etc/pip.conf:ro"
