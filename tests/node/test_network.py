"""The machine's folder of network namespaces, which becomes a mount of its own with the first of them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.instance import Instance
from local.node import network

NEVER_UP = Instance.named("never-up")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is mounted on itself, in place of the machine's."""
    subprocess.run(["mount", "--bind", tmp_path, tmp_path], check=True)
    monkeypatch.setattr("local.node.network.NAMESPACES", tmp_path)
    yield tmp_path
    if mounted(tmp_path):
        subprocess.run(["umount", tmp_path], check=True)


def mounted(folder: Path) -> bool:
    return any(line.split()[4] == str(folder) for line in Path("/proc/self/mountinfo").read_text().splitlines())


def test_the_last_to_go_unmounts_the_folder_of_namespaces(folder: Path) -> None:
    assert mounted(folder)

    network.down(NEVER_UP)

    assert not mounted(folder)


def test_the_folder_of_namespaces_stays_for_others(folder: Path) -> None:
    (folder / "somebody").touch()

    network.down(NEVER_UP)

    assert mounted(folder)
