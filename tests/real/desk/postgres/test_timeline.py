"""A call drawn, once more, on PostgreSQL."""

from tests.unit.desk.test_timeline import *  # noqa: F403 (its tests, on the database that conftest gives)
