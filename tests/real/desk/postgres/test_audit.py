"""The audit of log-ins, once more, on PostgreSQL."""

from tests.unit.desk.test_audit import *  # noqa: F403 (its tests, on the database that conftest gives)
