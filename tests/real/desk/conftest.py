"""A broker, a desk and a box for each test that asks."""

import pytest

from tests.broker import Broker
from tests.desk_process import DeskProcess
from tests.scripted_box import ScriptedBox


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path, persistent=True) as broker:
        yield broker


@pytest.fixture
def desk(tmp_path, broker):
    with DeskProcess(tmp_path / "desk", broker.url) as desk:
        yield desk


@pytest.fixture
def box(broker):
    box = ScriptedBox(url=broker.url)
    yield box
    box.close()
