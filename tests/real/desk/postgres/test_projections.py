"""The suite of projections once more, on PostgreSQL."""

from tests.unit.desk.conftest import box  # noqa: F401 (what they ask for; other tests here have one with a broker)
from tests.unit.desk.test_projections import *  # noqa: F403 (its tests, on the database that conftest gives)
