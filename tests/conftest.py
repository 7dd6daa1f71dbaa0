"""Tests run side by side by their folders: each starts what it needs for itself, once.

Folders with a cluster share one process: they share Docker's engine, and tests of the one end it.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

WITH_A_CLUSTER = ("production", "e2e", "plain_user", "walk_through")


class _ByFolder(LoadScopeScheduling):
    """Keeps the tests of a folder below tests/ in one process."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        return "cluster" if folder in WITH_A_CLUSTER else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return who hands the tests out, with `--dist loadscope`."""
    return _ByFolder(config, log)
