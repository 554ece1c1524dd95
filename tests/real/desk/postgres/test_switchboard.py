"""Switchboard and boxes brought together, once more, on PostgreSQL."""

from tests.unit.desk.test_switchboard import test_whichever_comes_first_the_call_is_known_and_the_box_is_told  # noqa: F401 (pytest collects it)
