"""The doctor stores an event and publishes one, and says what a broker lacks."""

import json
from pathlib import Path

import msgspec
import pytest
from paho.mqtt import publish

from edge.config import Config, MqttConfig
from edge.doctor import bus
from edge.doctor.finding import Outcome
from edge.errors import BusError
from tests import scripted_broker as script
from tests.broker import Broker
from tests.real.doctor.running import service_says
from tests.scripted_broker import ScriptedBroker


def test_the_outbox_keeps_an_event_over_opening_again_and_leaves_nothing(config):
    Path(config.state_dir).mkdir()
    assert bus.outbox(config).outcome is Outcome.GOOD
    assert list(Path(config.state_dir).iterdir()) == []


def test_a_broker_is_published_to_and_read_back(tmp_path):
    with Broker(tmp_path) as there:
        found = bus.broker(Config(mqtt=MqttConfig(url=there.url)))
        old = bus.broker(Config(mqtt=MqttConfig(url=there.url, protocol="3.1.1")))
    assert (found.outcome, old.outcome) == (Outcome.GOOD, Outcome.GOOD)
    assert "read back" in found.says


def test_a_box_that_may_write_but_not_read_its_topics_is_told_so(tmp_path):
    acl = "user box\ntopic write undertone/v1/site/box/#\n"
    secret = tmp_path / "password"
    secret.write_text("hush\n")
    mqtt = MqttConfig(username="box", password_file=str(secret))
    with Broker(tmp_path, passwords={"box": "hush"}, acl=acl) as there:
        found = bus.broker(Config(mqtt=msgspec.structs.replace(mqtt, url=there.url)))
        foreign = bus.broker(Config(device="other", mqtt=msgspec.structs.replace(mqtt, url=there.url)))
    assert found.outcome is Outcome.LOOK
    assert "not read back" in found.says
    assert foreign.outcome is Outcome.FAILED
    assert "ACL" in foreign.remedy


def test_a_wrong_password_and_a_closed_port_fail_in_one_line_with_the_remedy(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    with Broker(tmp_path, passwords={"box": "hush"}) as there:
        mqtt = MqttConfig(url=there.url, username="box", password_file=str(secret))
        with pytest.raises(BusError, match=r"mqtt\.password_file"):
            bus.broker(Config(mqtt=mqtt))
    with pytest.raises(BusError, match="refused"):
        bus.broker(Config(mqtt=mqtt))


def test_what_a_broker_must_offer_is_told_and_what_is_small_is_to_be_looked_at():
    def found(**connack):
        with ScriptedBroker(connack={getattr(script, name): value for name, value in connack.items()}) as there:
            return bus.broker(Config(mqtt=MqttConfig(url=there.url)))

    small, tight, brief = found(MAXIMUM_PACKET=1000), found(MAXIMUM_PACKET=100_000), found(SESSION_EXPIRY=5)
    assert [one.outcome for one in (small, tight, brief)] == [Outcome.FAILED, Outcome.LOOK, Outcome.LOOK]
    assert "takes packets of at most 1,000 bytes, 20 unacknowledged, QoS 1, retained messages, wildcards" in small.says
    assert "max_packet_size" in small.remedy
    assert "keeps sessions for 5 s" in brief.says
    with pytest.raises(BusError, match="QoS 0 alone"):
        found(MAXIMUM_QOS=0)


def test_another_box_of_this_name_is_found_by_the_state_that_the_broker_keeps(tmp_path, config, outbox):
    with Broker(tmp_path) as there:
        mine = msgspec.structs.replace(config, mqtt=MqttConfig(url=there.url))

        def other(boot: int, how: str) -> None:
            told = json.dumps({"data": {"state": how, "boot": boot}})
            publish.single("undertone/v1/site/box/state", told, qos=1, retain=True, hostname="127.0.0.1", port=there.port)

        assert bus.name(mine).outcome is Outcome.GOOD
        other(7, "online")
        assert "none runs here" in bus.name(mine).says
        assert bus.name(mine).outcome is Outcome.LOOK
        service_says(mine, boot=3)
        assert "in its start 7, and the one here is in its start 3" in bus.name(mine).says
        assert "give each its own" in bus.name(mine).remedy
        service_says(mine, boot=7)
        assert bus.name(mine).outcome is Outcome.GOOD
        other(9, "lost")
        assert bus.name(mine).outcome is Outcome.GOOD
    assert bus.name(mine).outcome is Outcome.SKIPPED
