"""The page of a case, views and files, once more, on PostgreSQL."""

from tests.unit.desk.test_case_page import *  # noqa: F403 (its tests, on the database that conftest gives)
