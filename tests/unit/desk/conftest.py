"""Where a test's databases are: `make` gives the address of a new, empty one. tests/real/desk/test_postgres.py gives another kind."""

import itertools

import pytest


@pytest.fixture
def make(tmp_path):
    numbers = itertools.count()
    return lambda: str(tmp_path / f"desk-{next(numbers)}.db")
