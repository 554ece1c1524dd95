"""A desk of an earlier version, once more, on PostgreSQL."""

from tests.unit.desk.test_migrations import *  # noqa: F403 (its tests, on the database that conftest gives)
