"""A customer erased, once more, on PostgreSQL."""

from tests.unit.desk.test_erase import *  # noqa: F403 (its tests, on the database that conftest gives)
