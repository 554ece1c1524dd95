"""What the tests of the bus share."""

import pytest

from tests.telling import open_outbox


@pytest.fixture
def outbox(tmp_path):
    box = open_outbox(tmp_path)
    yield box
    box.close()
