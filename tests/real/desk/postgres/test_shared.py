"""What several processes share, once more, on PostgreSQL: wrong passwords, and who takes in events."""

from tests.unit.desk.test_attempts import *  # noqa: F403 (its tests, on the database that conftest gives)
from tests.unit.desk.test_standing import *  # noqa: F403
