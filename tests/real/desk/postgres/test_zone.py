"""Days of the site, once more, on PostgreSQL."""

from tests.unit.desk.test_zone import *  # noqa: F403 (its tests, on the database that conftest gives)
