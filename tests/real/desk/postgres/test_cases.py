"""The suite of cases once more, on PostgreSQL."""

from tests.unit.desk.test_cases import *  # noqa: F403 (its tests, on the database that conftest gives)
