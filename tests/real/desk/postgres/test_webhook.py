"""The webhook's outbox, once more, on PostgreSQL."""

from tests.unit.desk.test_webhook import *  # noqa: F403 (its tests, on the database that conftest gives)
