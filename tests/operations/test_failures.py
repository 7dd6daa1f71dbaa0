"""A command that fails on the way says what state that leaves, and the way on or back."""

import json
from pathlib import Path

import pytest

from operations.errors import UserError
from operations.instance import Instance
from operations.rotate import rotate, rotate_encryption
from operations.stack import Stack
from operations.upgrade import downgrade, upgrade
from tests.gcp.standin import StandIn
from tests.operations.conftest import Program, deployed

BEFORE, NEW = "registry/mlflow:1", "registry/mlflow:2"


@pytest.fixture
def engine(program: Program) -> Path:
    """What was asked of an engine whose updates fail, a line each."""
    return program("pulumi", """echo '{"deployment": {"resources": []}}'; [ "$1" != up ]""")


def cluster(program: Program, **notes: str) -> Path:
    """Return what was asked of a cluster whose Deployment runs an image of before and has notes, a line each."""
    found = json.dumps({"metadata": {"annotations": {f"mlflow-operations/{key}": text for key, text in notes.items()}}})
    return program("kubectl", f"""case "$*" in *jsonpath=*image*) printf {BEFORE};; *json) echo '{found}';; esac""")


def test_an_upgrade_that_fails_names_the_way_on_and_the_way_back(
    stack: Stack, instance: Instance, engine: Path, program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = cluster(program)

    with pytest.raises(UserError, match="`pulumi up --stack prod --policy-pack policy --yes` ended with status 1"):
        upgrade(stack, NEW)

    said = capfd.readouterr().err
    assert "Run the same command again to go on" in said
    back = said.split("python -m operations downgrade ")[1].split()
    assert back[:2] + back[3:5] == [BEFORE, "--backup", "--stack", "prod"]
    assert instance.backup(back[2]).description == f"{BEFORE} before {NEW}"
    assert engine.read_text().splitlines()[0] == f"config set mlflow:image {NEW} --stack prod"
    assert f"mlflow-operations/upgrading={NEW} {back[2]}" in asked.read_text()


def test_an_upgrade_that_goes_on_makes_no_backup_of_tables_that_are_migrated_already(
    stack: Stack, instance: Instance, engine: Path, program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    made = instance.back_up(f"{BEFORE} before {NEW}")
    cluster(program, upgrading=f"{NEW} {made.id}")
    capfd.readouterr()

    with pytest.raises(UserError):
        upgrade(stack, NEW)

    said = capfd.readouterr().err
    assert "backing up" not in said
    assert f"downgrade {BEFORE} --backup {made.id} --stack prod" in said
    assert engine.read_text().splitlines()[-1] == "up --stack prod --policy-pack policy --yes"


@pytest.mark.usefixtures("engine")
def test_an_upgrade_whose_image_stands_in_the_file_already_makes_a_backup_all_the_same(
    standin: StandIn, program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster(program, upgrading="registry/mlflow:1.5 7")

    with pytest.raises(UserError):
        upgrade(deployed(standin, **{"mlflow:image": NEW}), NEW)

    said = capfd.readouterr().err
    assert "backing up the instance kept: done" in said
    assert f"downgrade {BEFORE} --backup" in said


@pytest.mark.usefixtures("engine")
def test_a_downgrade_keeps_what_it_overwrites_once_nobody_writes_any_more(
    stack: Stack, instance: Instance, program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = program("kubectl", "")
    given = instance.back_up("registry/mlflow:0 before registry/mlflow:1")

    with pytest.raises(UserError, match="ended with status 1"):
        downgrade(stack, "registry/mlflow:0", given.id, confirmed=True)

    _, said = capfd.readouterr()
    said = said.partition("database: backing up the instance kept: done")[2]
    assert f"backup {given.id} of {given.time}: registry/mlflow:0 before registry/mlflow:1" in said
    before = instance.backup(said.split("the database of before is backup ")[1].split()[0])
    assert before.description == "registry/mlflow:1 before going back to registry/mlflow:0"
    assert said.index("server: stopping: done") < said.index("backing up") < said.index("restoring backup")
    assert "scale deployment/mlflow-tracking-server --replicas=0" in asked.read_text()


def test_a_rotation_that_fails_says_which_password_is_in_use(
    standin: StandIn, engine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError):
        rotate(deployed(standin, **{"mlflow:databasePasswordGeneration": "4"}))

    assert engine.read_text().splitlines()[0] == "config set mlflow:databasePasswordGeneration 5 --stack prod"
    assert "pods that were not replaced yet use the password of before" in capfd.readouterr().err


def test_a_rotation_of_keys_that_fails_says_that_nothing_is_lost(
    standin: StandIn, engine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError):
        rotate_encryption(deployed(standin, **{"mlflow:encryptionGeneration": "1"}))

    assert engine.read_text().splitlines() == [
        "config set mlflow:encryptionGeneration 2 --stack prod",
        "up --stack prod --policy-pack policy --yes",
    ]
    assert "what the keys of before encrypted stays readable" in capfd.readouterr().err
