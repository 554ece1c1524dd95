"""The hold-out, once more, on PostgreSQL."""

from tests.unit.desk.test_holdout import *  # noqa: F403 (its tests, on the database that conftest gives)
