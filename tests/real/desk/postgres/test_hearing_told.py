"""Boxes that are not well, once more, on PostgreSQL."""

from tests.unit.desk.test_hearing_told import *  # noqa: F403 (its tests, on the database that conftest gives)
