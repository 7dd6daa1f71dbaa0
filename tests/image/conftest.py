"""The unpacked image and the cloud that its server is tried with: a database instance and a store of objects."""

import secrets
from collections.abc import Generator

import pytest

from local.image import build
from tests.gcp.standin import StandIn, started
from tests.image.container import Unpacked, unpack
from tests.image.database import Database, Instance


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    return unpack(build().tar, tmp_path_factory.mktemp("image") / "root")


@pytest.fixture(scope="session")
def standin() -> Generator[StandIn]:
    # Two runs of these tests may go on side by side.
    with started(f"127.78.{secrets.randbelow(256)}.0/25") as standin:
        yield standin


@pytest.fixture(scope="session")
def instance(standin: StandIn) -> Instance:
    return Instance(standin)


@pytest.fixture
def database(instance: Instance) -> Database:
    """A database that nobody else uses, and without any account of its own."""
    return instance.database()
