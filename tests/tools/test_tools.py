"""What is missing on a machine is named, with the remedy, before anything is touched."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local import packages
from local.command import output
from local.engine import go
from local.errors import UserError
from local.process import start_time, wait_for


def test_without_root_missing_packages_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(UserError, match="apt-get install conjurer wand"):
        packages.require({"no-such-wand": "wand", "no-such-conjurer": "conjurer", "sh": "dash"})


def test_what_is_there_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    packages.require({"sh": "dash", "/bin/sh": "dash"})


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that keeps services from starting, in a folder of the test's own."""
    file = tmp_path / "policy-rc.d"
    monkeypatch.setattr(packages, "NO_SERVICES", {str(file): "exit 101 # ours"})
    monkeypatch.setattr(packages, "STATE_ROOT", tmp_path)
    return file


def nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def test_no_service_starts_during_an_installation_which_waits_for_others(
    policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[tuple[Sequence[str], bool]] = []

    def note(argv: Sequence[str], *, env: Mapping[str, str]) -> None:
        assert env
        commands.append((argv, policy.exists()))

    monkeypatch.setattr(packages, "run", note)
    packages.install(["wand"])

    assert [(argv[1], there) for argv, there in commands] == [("update", False), ("install", True)]
    assert "DPkg::Lock::Timeout=300" in commands[-1][0]
    assert not policy.exists()


def test_what_a_killed_installation_left_goes_the_next_time(policy: Path) -> None:
    policy.write_text("exit 101 # ours")

    packages.require({"sh": "dash"})

    assert not policy.exists()


def test_what_the_machine_itself_has_decided_stays(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy.write_text("exit 101")
    monkeypatch.setattr(packages, "run", nothing)

    packages.require({"sh": "dash"})
    packages.install(["wand"])

    assert policy.read_text() == "exit 101"


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

    with pytest.raises(UserError, match=r"(?s)pdeathsig KILL -- go build.*example\.org/b@v1\.0\.0.*127\.0\.0\.1:9"):
        go.go_build("building", tmp_path, ["."], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_failed_command_repeats_its_last_words() -> None:
    with pytest.raises(UserError, match=r"(?s)ended with status 3.*the disk is on fire"):
        output(["sh", "-c", "echo the disk is on fire >&2; exit 3"])


def test_credentials_in_addresses_are_not_repeated() -> None:
    command = "echo no way through http://me:s3cr@t@proxy:3128/ >&2; exit 1"

    with pytest.raises(UserError) as caught:
        output(["sh", "-c", command])

    assert str(caught.value).count("http://proxy:3128/") == 2
    assert "s3cr" not in str(caught.value)


def test_a_build_ends_with_the_program_that_began_it() -> None:
    script = "from local.command import run, tied; run(tied(['sleep', '300']))"
    beginner = subprocess.Popen([sys.executable, "-c", script])

    def builds() -> list[int]:
        children = Path(f"/proc/{beginner.pid}/task/{beginner.pid}/children").read_text().split()
        return [int(child) for child in children if Path(f"/proc/{child}/comm").read_text() == "sleep\n"]

    wait_for(lambda: bool(builds()), what="the build", deadline=10)
    (build,) = builds()

    beginner.send_signal(signal.SIGKILL)
    beginner.wait()

    wait_for(lambda: start_time(build) is None, what="the end of the build", deadline=10)


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="`no-such-command` is not installed"):
        output(["no-such-command"])
