"""What is missing on a machine is named, with the remedy, before anything is touched."""

import os
import shutil
from pathlib import Path

import pytest

from local import packages
from local.command import output
from local.engine import go
from local.errors import UserError


def test_without_root_missing_packages_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(UserError, match="apt-get install conjurer wand"):
        packages.require({"no-such-wand": "wand", "no-such-conjurer": "conjurer", "sh": "dash"})


def test_what_is_there_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    packages.require({"sh": "dash", "/bin/sh": "dash"})


def no_program(_: str) -> None:
    """Find nothing on PATH."""


def old_go(_: list[str]) -> str:
    """Answer as Debian's Go does."""
    return "go1.19.8\n"


def test_a_machine_without_go_is_told_which_version_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", no_program)

    with pytest.raises(UserError, match=r"`go` is not on PATH: install Go 1\.26\.4 or newer"):
        go.go_version()


def test_an_old_go_is_told_which_version_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go, "output", old_go)

    with pytest.raises(UserError, match=r"`go` is go1\.19\.8, 1\.26\.4 or newer is needed"):
        go.go_version()


def test_a_registry_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go.mod").write_text("module example.org/a\n\ngo 1.26\n\nrequire example.org/b v1.0.0\n")
    (tmp_path / "go.sum").write_text("example.org/b v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
    (tmp_path / "main.go").write_text('package main\n\nimport _ "example.org/b"\n\nfunc main() {}\n')
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("GOCACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))

    with pytest.raises(UserError, match=r"(?s)go build.*example\.org/b@v1\.0\.0.*127\.0\.0\.1:9"):
        go.go_build("building", tmp_path, ["."], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_failed_command_repeats_its_last_words() -> None:
    with pytest.raises(UserError, match=r"(?s)ended with status 3.*the disk is on fire"):
        output(["sh", "-c", "echo the disk is on fire >&2; exit 3"])


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="`no-such-command` is not installed"):
        output(["no-such-command"])
