"""The publisher against a real NATS server: what holds at mosquitto holds there, over MQTT 3.1.1."""

import subprocess
import sys

import pytest
from paho.mqtt import publish

from edge.doctor import bus
from edge.doctor.finding import Outcome
from edge.errors import BusError
from edge.mqtt import reconnects
from edge.wire.commands import CallEnd
from tests.nats import Nats, needs_limits, needs_nats
from tests.real.mqtt.test_limits import config, publishing, told
from tests.telling import Subscriber, alert, text, until

pytestmark = needs_nats
OLD = {"protocol": "3.1.1"}
STATE = "undertone/v1/leeds/desk-1/state"


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    with Nats(tmp_path_factory.mktemp("nats")) as running:
        yield running


def test_everything_arrives_in_order_and_leaves_the_outbox_and_the_state_is_kept(nats, outbox):
    with Subscriber(nats.url, old=True, name="all") as central, publishing(outbox, nats.url, **OLD) as publisher:
        outbox.put([alert(), *(text(n) for n in range(100))])
        until(lambda: not outbox.counts().rows)
        until(lambda: len(central.events("call.text")) == 100)
        assert central.sequences()["undertone/v1/leeds/desk-1/text/line-1"] == list(range(1, 101))
        assert publisher.troubles.all == []
    with Subscriber(nats.url, STATE, old=True, name="late") as late:
        until(lambda: late.messages)
        assert (late.messages[0][1]["data"]["state"], late.messages[0][2]) == ("online", True)


def test_a_command_arrives(nats, outbox):
    taken = []
    with publishing(outbox, nats.url, on_request=taken.append, **OLD) as publisher:
        until(lambda: publisher.connected)

        def heard() -> bool:
            """Sent until it is heard: what comes before the broker has taken the subscription is not for this box."""
            publish.single("undertone-cmd/v1/leeds/desk-1/call/line-1/end", "{}", qos=1, hostname="127.0.0.1", port=nats.port)
            return bool(taken)

        until(heard)
    assert taken[0].command == CallEnd(line="line-1")


def test_the_will_is_told_when_a_box_is_killed(nats, tmp_path):
    with Subscriber(nats.url, old=True, name="watch") as central:
        before = len(central.events("call.text"))
        command = [sys.executable, "-m", "tests.box", str(tmp_path / "box"), nats.url, "1", "100000", "3.1.1"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as program:
            until(lambda: len(central.events("call.text")) > before)
            program.kill()
        until(lambda: any(event["data"]["state"] == "lost" for event in central.events("device.state")))


def test_what_was_not_acknowledged_when_the_server_was_killed_comes_when_it_is_back(tmp_path, outbox):
    with Nats(tmp_path) as nats, publishing(outbox, nats.url, **OLD) as publisher:
        until(lambda: publisher.connected)
        nats.kill()
        outbox.put([text(n) for n in range(50)])
        until(lambda: publisher.troubles.all)
        nats.start()
        until(lambda: not outbox.counts().rows)
        assert publisher.troubles.all == []


def test_mqtt_5_is_refused_with_the_key_to_set(nats):
    with pytest.raises(BusError) as refused:
        bus.broker(config(nats.url))
    assert "mqtt.protocol: '3.1.1'" in str(refused.value)


def test_a_wrong_password_names_the_keys(tmp_path):
    (tmp_path / "pw").write_text("wrong\n")
    with Nats(tmp_path, users={"box": "right"}) as nats, pytest.raises(BusError) as refused:
        bus.broker(config(nats.url, username="box", password_file=str(tmp_path / "pw"), **OLD))
    assert "mqtt.username (box) and mqtt.password_file" in str(refused.value)


def test_the_doctor_is_content_and_finds_another_box(nats, outbox):
    found = bus.broker(config(nats.url, **OLD))
    assert found.outcome is Outcome.GOOD
    assert "of its limits a broker says nothing with MQTT 3.1.1" in found.says
    with publishing(outbox, nats.url, **OLD):
        until(lambda: bus.name(config(nats.url, **OLD)).outcome is Outcome.LOOK)


@needs_limits
def test_a_payload_that_is_larger_than_it_takes_holds_its_own_topic(tmp_path, outbox, monkeypatch):
    monkeypatch.setattr(reconnects.random, "uniform", lambda least, _most: least)
    outbox.put([text(n) for n in range(10)])
    with Nats(tmp_path, extra={"max_payload": 1000}) as nats, publishing(outbox, nats.url, **OLD) as publisher:
        until(lambda: not outbox.counts().rows and publisher.connected and publisher.troubles.standing)
        (problem,) = publisher.troubles.standing
        assert problem.where == "undertone/v1/leeds/desk-1/info", told(publisher)
