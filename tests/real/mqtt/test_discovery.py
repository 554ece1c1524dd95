"""Home Assistant's discovery on a real mosquitto: off by default, retained, and there again with every connection."""

import msgspec
import pytest

from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from tests.broker import Broker
from tests.telling import Subscriber, until
from tests.unit.wire.test_discovery import info

PLACE = "homeassistant/device/leeds/desk-1/config"


@pytest.mark.parametrize("prefix", [None, "homeassistant"])
def test_a_box_is_found_only_where_it_is_asked_for(tmp_path, outbox, prefix):
    config = Config(site="leeds", device="desk-1", discovery_prefix=prefix)
    with Broker(tmp_path) as broker:
        publisher = Publisher(msgspec.structs.replace(config, mqtt=MqttConfig(url=broker.url)), outbox, print)
        publisher.start()
        try:
            publisher.publish_info(info("line-1"))
            # A broker that has lost what it kept is told again.
            for name in ("one", "another"):
                with Subscriber(broker.url, "#", name=name) as late:
                    until(lambda late=late: any(topic.endswith("/info") for topic, *_ in late.messages))
                    until(lambda late=late: prefix is None or any(topic == PLACE for topic, *_ in late.messages))
                    found = [body for topic, body, _ in late.messages if topic.startswith("homeassistant")]
                    assert len(found) == (0 if prefix is None else 1)
                    for body in found:
                        assert body["dev"]["name"] == "leeds/desk-1"
                broker.kill()
                broker.start()
        finally:
            publisher.stop(20)
