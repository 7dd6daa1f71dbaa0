"""Tests run side by side by their folders: each has what it starts to itself."""

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a folder in one process, so that what they share is started once."""
    here = Path(__file__).parent
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.relative_to(here).parts[0]))
