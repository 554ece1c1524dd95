"""Two boxes of one site and device at real brokers: they part, and each says so."""

from contextlib import ExitStack, closing

import pytest

from edge.mqtt import reconnects
from edge.outbox.store import Counts
from edge.service.device_state import DeviceState
from tests.broker import Broker
from tests.nats import Nats, needs_nats
from tests.real.mqtt.test_limits import publishing, troubles
from tests.telling import Subscriber, open_outbox, until

NOTHING_UNSENT = Counts(rows=0, alert_rows=0, oldest_s=None)
# NATS lets one that flaps wait for 10 s and more, five times.
LONG_S = 240.0


@pytest.mark.takes(20)
@pytest.mark.parametrize(("broker", "protocol"), [(Broker, "5"), (Broker, "3.1.1"), pytest.param(Nats, "3.1.1", marks=needs_nats)])
def test_they_part_and_each_says_so_on_the_bus(tmp_path, caplog, monkeypatch, broker, protocol):
    # They wait less than in the field, and by chance as there.
    monkeypatch.setattr(reconnects, "_LONG_FIRST_S", 2.0)
    monkeypatch.setattr(reconnects, "_LONG_MOST_S", 2.0)
    with ExitStack() as stack:
        running = stack.enter_context(broker(tmp_path))
        central = stack.enter_context(Subscriber(running.url, "undertone/+/+/+/state", old=protocol != "5"))
        boxes = []
        for number in range(2):
            (tmp_path / str(number)).mkdir()
            outbox = stack.enter_context(closing(open_outbox(tmp_path / str(number))))
            boxes.append((stack.enter_context(publishing(outbox, running.url, protocol=protocol)), DeviceState({}, boot=number)))

        def both_said_so() -> bool:
            """Each tells how it is, as a service does each second, and the centre has heard it of both."""
            for publisher, box in boxes:
                problems = box.problems(missing=[], counts=NOTHING_UNSENT, bus=publisher.troubles.standing)
                publisher.publish_state(box.state(problems, for_bus=True))
            blamed = [event["data"] for event in central.events("device.state") if event["data"]["reasons"]]
            return {0, 1} <= {one["boot"] for one in blamed if "site and device" in "".join(one["reasons"])}

        until(both_said_so, LONG_S)
    said = [line for line in troubles(caplog) if "another box" in line]
    assert len(said) == 2, "each says it once"
