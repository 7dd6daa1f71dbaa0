"""Everything of an instance follows from its name, and one clone holds it."""

from pathlib import Path

import pytest
import yaml

from local import image, instance, ownership, stack
from local.errors import UserError
from local.instance import Instance


@pytest.fixture
def state_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for all instances."""
    monkeypatch.setattr(instance, "STATE_ROOT", tmp_path)
    monkeypatch.setattr(ownership, "STATE_ROOT", tmp_path)
    return tmp_path


def clone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Act as a clone in that folder."""
    folder.mkdir()
    (folder / "Pulumi.yaml").touch()
    monkeypatch.setattr(ownership, "PROJECT", folder)
    return folder


@pytest.mark.parametrize("name", ["", "Mlflow", "1st", "a" * 21, "a/b", "a b", "../a", "a-"])
def test_a_name_that_can_not_be_a_folder_or_a_link_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_LOCAL_INSTANCE", name or " ")

    with pytest.raises(UserError, match=r"MLFLOW_LOCAL_INSTANCE=.*at most 20 lower-case"):
        Instance.named()


def test_two_instances_share_nothing() -> None:
    one, other = Instance("mlflow"), Instance("tests")

    for attribute in ("state", "subnet", "host_address", "node_address", "gcp_port", "profile"):
        assert getattr(one, attribute) != getattr(other, attribute)


def test_a_second_clone_is_told_who_holds_the_name(
    state_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clone(tmp_path / "first", monkeypatch)
    ownership.claim(Instance("mlflow"))
    clone(tmp_path / "second", monkeypatch)

    with pytest.raises(UserError, match=rf"belongs to the clone {first}: run `make down` there"):
        ownership.claim(Instance("mlflow"))

    assert (state_root / "mlflow" / "owner").read_text() == str(first)


def test_a_clone_that_is_gone_holds_nothing(state_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = clone(tmp_path / "first", monkeypatch)
    ownership.claim(Instance("mlflow"))
    second = clone(tmp_path / "second", monkeypatch)
    (first / "Pulumi.yaml").unlink()

    ownership.claim(Instance("mlflow"))

    assert (state_root / "mlflow" / "owner").read_text() == str(second)


def test_two_names_with_the_same_addresses_are_told_apart(
    state_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"n{number}" for number in range(300)]
    first = names[0]
    other = next(name for name in names[1:] if Instance(name).number == Instance(first).number)
    clone(tmp_path / "clone", monkeypatch)
    ownership.claim(Instance(first))

    with pytest.raises(UserError, match=rf"{other} would share the addresses .* with the instance '{first}'"):
        ownership.claim(Instance(other))

    assert not (state_root / other).exists()


def test_the_committed_settings_are_those_of_the_default_instance() -> None:
    committed = yaml.safe_load((stack.PROJECT / "Pulumi.local.yaml").read_text())["config"]
    wanted = stack.settings(Instance("mlflow"), image.tag())

    networks = committed.pop("mlflow:authorizedNetworks")
    assert {key: committed.get(key) for key in wanted if "[" not in key} == {
        key: value for key, value in wanted.items() if "[" not in key
    }
    assert networks == [wanted["mlflow:authorizedNetworks[0]"]]


def test_an_instance_of_an_earlier_release_is_left_alone(state_root: Path) -> None:
    (state_root / "mlflow" / "node").mkdir(parents=True)

    with pytest.raises(UserError, match=r"of an earlier release.*run `make down` in a clone of that release"):
        ownership.check(Instance("mlflow"))
