"""Which `pulumi` is used."""

from pathlib import Path

import pytest

from local.engine import environment
from local.engine.environment import engine_environment


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, with an engine in it that counts as built."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    built = tmp_path / "cache" / "mlflow-local" / "engine-1"
    (built / "bin").mkdir(parents=True)
    (built / "plugins").mkdir()
    monkeypatch.setattr(environment, "engine", lambda: built)
    return built


def program(folder: Path) -> Path:
    """Put a `pulumi` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pulumi").touch(mode=0o755)
    return folder


@pytest.mark.usefixtures("cache")
def test_a_pulumi_on_path_is_used_with_its_own_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program(tmp_path / "theirs")))

    variables = engine_environment(tmp_path / "state")

    assert set(variables) == {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"}


def test_without_one_ours_comes_first_on_path_and_brings_its_plugins(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")

    variables = engine_environment(tmp_path / "state")

    assert variables["PATH"] == f"{cache / 'bin'}:/usr/bin"
    assert (Path(variables["PULUMI_HOME"]) / "plugins").resolve() == cache / "plugins"
    assert variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_ours_on_path_still_counts_as_ours(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program(cache / "bin")))

    assert "PULUMI_HOME" in engine_environment(tmp_path / "state")


def test_plugins_of_an_older_engine_give_way_to_the_present_ones(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    home = tmp_path / "state" / "home"
    home.mkdir(parents=True)
    (home / "plugins").symlink_to(tmp_path / "gone")

    engine_environment(tmp_path / "state")

    assert (home / "plugins").readlink() == cache / "plugins"
