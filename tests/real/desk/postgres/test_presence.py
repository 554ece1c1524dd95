"""Who is looking, once more, on PostgreSQL."""

from tests.unit.desk.test_presence import *  # noqa: F403 (its tests, on the database that conftest gives)
