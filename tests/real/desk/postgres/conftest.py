"""A PostgreSQL for these tests; `make` gives the address of a new database in it, where the unit tests have a file."""

import pytest

from tests.broker import Broker
from tests.postgres import Postgres
from tests.unit.desk.conftest import store  # noqa: F401 (what the unit tests ask for, on the `make` below)


@pytest.fixture(scope="session")
def server():
    with Postgres() as server:
        yield server


@pytest.fixture
def make(server):
    return server.url


@pytest.fixture(scope="module")
def shared_broker(tmp_path_factory):
    """One for a module's processes."""
    with Broker(tmp_path_factory.mktemp("broker"), persistent=True) as broker:
        yield broker
