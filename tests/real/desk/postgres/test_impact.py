"""The figures of impact, once more, on PostgreSQL."""

from tests.unit.desk.test_impact import *  # noqa: F403 (its tests, on the database that conftest gives)
