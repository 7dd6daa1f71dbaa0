"""Tests run side by side by their folders: each starts what it needs for itself, once."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class _ByFolder(LoadScopeScheduling):
    """Keeps the tests of a folder below tests/ in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return who hands the tests out, with `--dist loadscope`."""
    return _ByFolder(config, log)
