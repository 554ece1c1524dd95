"""What a page offers, once more, on PostgreSQL."""

from tests.unit.desk.test_offered import *  # noqa: F403 (its tests, on the database that conftest gives)
