"""The desk's and the box's types, once more, on PostgreSQL."""

from tests.unit.desk.test_contract import *  # noqa: F403 (its tests, on the database that conftest gives)
