"""The Dockerfile and the lock keep what the image promises, before anything is built."""

import re
import tomllib
from pathlib import Path

import pytest

from local.image import BASE, SOURCE, mlflow_version, tag

ROOT = SOURCE.parents[1]
PREVIOUS_LOCK = ROOT / "tests/image/previous-release/requirements.txt"
DOCKERFILE = (SOURCE / "Dockerfile").read_text()
LOCK = (SOURCE / "requirements.txt").read_text()


def _instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def _names(file: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in (SOURCE / file).read_text().splitlines())
    return [_normal(re.split(r"[\[=<>]", line)[0]) for line in lines if line]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503


def _pins(lock: str = LOCK) -> dict[str, str]:
    """Return each locked package with its whole entry."""
    entries = re.findall(r"^([A-Za-z0-9][\w.-]*==[^\n]*(?:\n[ ]+--hash=[^\n]*)*)", lock, re.MULTILINE)
    return {_normal(entry.split("==")[0]): entry for entry in entries}


def test_both_stages_start_from_the_base_that_has_a_stand_in() -> None:
    assert _instructions("ARG") == [f"BASE={BASE}"]
    assert _instructions("FROM") == ["$BASE AS build", "$BASE"]


def test_the_image_runs_as_a_numeric_user_other_than_root() -> None:
    assert _instructions("USER") == ["10001:10001"]


def test_nothing_is_installed_in_the_final_stage() -> None:
    final = DOCKERFILE.partition("FROM $BASE\n")[2]

    assert "RUN" not in final


def test_packages_are_installed_by_hash_and_from_the_lock_alone() -> None:
    install = next(line for line in _instructions("RUN") if "install" in line)

    assert {"--require-hashes", "--no-deps", "--requirement"} <= set(install.split())


def test_every_locked_package_has_hashes() -> None:
    assert [name for name, entry in _pins().items() if "--hash=sha256:" not in entry] == []
    assert len(_pins()) == LOCK.count("==")


def test_the_lock_names_no_registry() -> None:
    assert "://" not in LOCK
    assert "index" not in "".join(line for line in LOCK.splitlines() if line.startswith("-"))


def test_the_lock_holds_all_that_is_asked_for() -> None:
    assert set(_names("requirements.in")) <= set(_pins())


def test_the_lock_holds_nothing_that_is_left_out() -> None:
    assert set(_names("left-out.txt")) & set(_pins()) == set()


def test_the_lock_was_made_by_the_documented_command() -> None:
    command = next(line for line in LOCK.splitlines() if "uv pip compile" in line).removeprefix("#").strip()

    assert command in (SOURCE / "requirements.in").read_text()


@pytest.mark.parametrize("file", ["requirements.in", "left-out.txt"])
def test_every_package_has_a_reason(file: str) -> None:
    lines = [line for line in (SOURCE / file).read_text().splitlines() if line and not line.startswith("#")]

    assert [line for line in lines if " # " not in line] == []


def test_server_and_client_are_of_one_version() -> None:
    assert f"mlflow=={mlflow_version()} " in Path(ROOT / "requirements-dev.txt").read_text()


def test_the_server_runs_on_the_python_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["requires-python"] == ">=" + BASE.removeprefix("python:").removesuffix("-slim-bookworm")


def test_every_program_can_be_called_by_its_name() -> None:
    programs = {path for path in (SOURCE / "bin").glob("*.py") if "__pycache__" not in path.parts}
    copied = {f"bin/{path.name} /opt/mlflow/bin/{path.stem.replace('_', '-')}" for path in programs}

    assert copied <= set(_instructions("COPY"))
    assert [path for path in programs if not path.stat().st_mode & 0o111] == []
    assert [path for path in programs if not path.read_text().startswith("#!/opt/mlflow/bin/python3")] == []


def test_the_release_before_differs_in_mlflow_alone() -> None:
    previous = _pins(PREVIOUS_LOCK.read_text())

    assert {name for name, entry in _pins().items() if previous.get(name) != entry} == {
        "mlflow",
        "mlflow-skinny",
        "mlflow-tracing",
    }
    assert set(previous) == set(_pins())


def test_the_image_of_another_release_has_another_name() -> None:
    assert mlflow_version(PREVIOUS_LOCK) != mlflow_version()
    assert tag(PREVIOUS_LOCK).split(":")[1].startswith(mlflow_version(PREVIOUS_LOCK))
    assert tag(PREVIOUS_LOCK) != tag()
