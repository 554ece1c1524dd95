"""A broker that lets the desk hear less than it asks for, which nobody must take for calm."""

import pytest

from desk.config import DeskMqtt
from desk.ingest.link import Link
from tests.desk_process import until
from tests.nats import Nats, needs_nats

MAY = {"user": "desk", "password": "x", "permissions": {"subscribe": ["undertone.v1.leeds", "undertone.v1.leeds.>", "$MQTT.sub.>"]}}


@needs_nats
@pytest.mark.parametrize(("topics", "well"), [(("undertone/v1/leeds/#",), True), (("undertone/v1/leeds/#", "undertone/v1/york/#"), False)])
def test_a_desk_that_may_not_hear_all_that_it_asks_for_is_not_well_and_names_what(tmp_path, topics, well):
    (tmp_path / "password").write_text("x")
    with Nats(tmp_path, extra={"accounts": {"U": {"jetstream": "enabled", "users": [MAY]}}}) as broker:
        mqtt = DeskMqtt(url=broker.url, protocol="3.1.1", username="desk", password_file=str(tmp_path / "password"), topics=topics)
        link = Link(mqtt, lambda _: None)
        link.open()
        try:
            until(lambda: link.trouble != "not connected yet")
            assert link.connected is well
            assert (link.trouble is None) is well
            assert well or "undertone/v1/york/#" in link.trouble
        finally:
            link.close()
