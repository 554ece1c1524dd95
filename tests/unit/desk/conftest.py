"""Where a test's databases are: `make` gives the address of a new, empty one, `store` an open one; tests/real/desk/postgres has others."""

import itertools

import pytest

from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store


@pytest.fixture
def make(tmp_path):
    numbers = itertools.count()
    return lambda: str(tmp_path / f"desk-{next(numbers)}.db")


@pytest.fixture
def store(make):
    """The tests' own database, empty."""
    store = Store(make())
    yield store
    store.database.close()


@pytest.fixture
def box():
    return ScriptedBox()
