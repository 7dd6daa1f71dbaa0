"""A command that fails on the way says what state that leaves, and the way on or back."""

import os
from pathlib import Path

import pytest

from operations.errors import UserError
from operations.instance import Instance
from operations.rotate import rotate
from operations.stack import Stack
from operations.upgrade import upgrade
from tests.gcp.standin import StandIn
from tests.operations.conftest import deployed

NEW = "registry/mlflow:2"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What was asked of an engine whose updates fail, a line each."""
    asked, program = tmp_path / "asked", tmp_path / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$*" >> {asked}\n[ "$1" != up ]\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return asked


def test_an_upgrade_that_fails_names_the_way_on_and_the_way_back(
    stack: Stack, instance: Instance, engine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="`pulumi up --stack prod --policy-pack policy --yes` ended with status 1"):
        upgrade(stack, NEW)

    said = capfd.readouterr().err
    assert "Run the same command again to go on" in said
    back = said.split("python -m operations downgrade ")[1].split()
    assert back[:2] + back[3:5] == ["registry/mlflow:1", "--backup", "--stack", "prod"]
    assert instance.backup(back[2]).description == f"registry/mlflow:1 before {NEW}"
    assert engine.read_text().splitlines()[0] == f"config set mlflow:image {NEW} --stack prod"


def test_an_upgrade_that_goes_on_makes_no_backup_of_tables_that_are_migrated_already(
    standin: StandIn, engine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError):
        upgrade(deployed(standin, **{"mlflow:image": NEW}), NEW)

    assert engine.read_text().splitlines() == ["up --stack prod --policy-pack policy --yes"]
    assert "backing up" not in capfd.readouterr().err


def test_a_rotation_that_fails_says_which_password_is_in_use(
    standin: StandIn, engine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError):
        rotate(deployed(standin, **{"mlflow:databasePasswordGeneration": "4"}))

    assert engine.read_text().splitlines()[0] == "config set mlflow:databasePasswordGeneration 5 --stack prod"
    assert "pods that were not replaced yet use the password of before" in capfd.readouterr().err
