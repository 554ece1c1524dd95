"""What a connection leaves behind: nothing."""

import gc
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import pytest

from edge.config import MqttConfig
from edge.errors import BusError
from edge.mqtt.link import Link
from tests.scripted_broker import ScriptedBroker


@pytest.fixture
def uncollected():
    """Python looks for no cycles meanwhile: as on a box that has little else to do."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("refusal", [0, 0x88], ids=["taken", "refused"])
def test_a_connection_that_is_over_keeps_no_file_open(uncollected, protocol, refusal):
    open_files = []
    with ScriptedBroker(refusal=refusal) as broker:
        for _ in range(5):
            link = Link(MqttConfig(url=broker.url, protocol=protocol), client_id="x", inbox=SimpleQueue())
            with suppress(BusError):
                link.open()
                link.close()
            del link
            open_files.append(len(list(Path("/proc/self/fd").iterdir())))
    # The broker's thread may be about to close the near end of the last one.
    assert open_files[-1] <= open_files[0] + 1
