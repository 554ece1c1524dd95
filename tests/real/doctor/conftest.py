"""What the tests of the doctor share."""

from pathlib import Path

import pytest

from edge.config import Config
from tests.telling import open_outbox


@pytest.fixture
def config(tmp_path):
    return Config(state_dir=str(tmp_path / "state"))


@pytest.fixture
def outbox(config):
    """Open, as a service that runs has it."""
    running = open_outbox(Path(config.state_dir))
    yield running
    running.close()
