"""A stand-in for all tests that leave it standing, and one for each test that does not."""

from collections.abc import Generator

import pytest

from tests.gcp.standin import Json, StandIn, state_folder


@pytest.fixture(scope="session")
def standin() -> Generator[StandIn]:
    with state_folder() as folder:
        standin = StandIn(folder, "127.77.0.0/25")
        standin.start()
        yield standin
        standin.end()


@pytest.fixture
def unstarted() -> Generator[StandIn]:
    with state_folder() as folder:
        yield StandIn(folder, "127.77.0.128/25")


@pytest.fixture
def own_standin() -> Generator[StandIn]:
    with state_folder() as folder:
        standin = StandIn(folder, "127.77.0.128/25")
        standin.start()
        yield standin
        standin.end()


@pytest.fixture(scope="session")
def instance(standin: StandIn) -> Json:
    """An instance that no test changes."""
    return standin.create("shared")
