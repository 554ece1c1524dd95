"""The suite of projections once more, on PostgreSQL."""

from tests.unit.desk.test_projections import *  # noqa: F403 (its tests, on the database that conftest gives)
