"""The pages about production: the tests and commands in them are there."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.conftest import PROJECT

DOCS = PROJECT / "docs"
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, block in enumerate(re.findall(r"^```\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE), 1)
]


def names_of_tests(folder: Path) -> set[str]:
    """Return the names of all tests of the project."""
    files = folder.rglob("test_*.py")
    return {
        name for file in files for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }


def test_every_test_that_proves_a_defence_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (DOCS / "security.md").read_text()))

    assert len(named) > 20
    assert named - names_of_tests(PROJECT / "tests") == set()


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_commands_is_one_that_a_shell_reads(block: str) -> None:
    done = subprocess.run(["bash", "-n"], check=False, capture_output=True, text=True, input=block)

    assert done.returncode == 0, done.stderr
