"""A stand-in for all tests that leave it standing, and one for each test that does not."""

from collections.abc import Generator

import pytest

from tests.gcp.standin import Json, StandIn, started, state_folder


@pytest.fixture(scope="session")
def standin() -> Generator[StandIn]:
    with started("127.77.0.0/25") as standin:
        yield standin


@pytest.fixture
def unstarted() -> Generator[StandIn]:
    with state_folder() as folder:
        yield StandIn(folder, "127.77.0.128/25")


@pytest.fixture
def own_standin() -> Generator[StandIn]:
    with started("127.77.0.128/25") as standin:
        yield standin


@pytest.fixture(scope="session")
def instance(standin: StandIn) -> Json:
    """An instance that no test changes."""
    return standin.create("shared")
