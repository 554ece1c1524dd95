"""Commands are answered: on `reply`, and to who asks with a response topic; real box, real mosquitto."""

import json
import queue
from contextlib import contextmanager

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.broker import Broker
from tests.real.service.test_app import QUIET_LINE, one_line, talks
from tests.service import Service
from tests.telling import Subscriber, until

TO_BOX = "undertone-cmd/v1/site/box"


class Switchboard:
    """Sends commands, with a response topic or not, and keeps what comes on its own."""

    def __init__(self, broker: Broker) -> None:
        self.answers: queue.Queue[tuple[bytes | None, dict]] = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_message = lambda _client, _data, message: self.answers.put(
            (getattr(message.properties, "CorrelationData", None), json.loads(message.payload))
        )
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe("undertone-reply/switchboard/#", 1)

    def say(self, topic: str, *, answer_on: str | None = None, correlation: bytes | None = None, **payload) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if answer_on is not None:
            properties.ResponseTopic = answer_on
        if correlation is not None:
            properties.CorrelationData = correlation
        self.client.publish(f"{TO_BOX}/{topic}", json.dumps(payload), qos=1, properties=properties).wait_for_publish(30)

    def answer(self) -> tuple[bytes | None, dict]:
        correlation, event = self.answers.get(timeout=60)
        return correlation, event["data"]


@contextmanager
def a_box(tmp_path, more: str = ""):
    with (
        Broker(tmp_path, persistent=True) as broker,
        Subscriber(broker.url) as central,
        Service(tmp_path, one_line(broker.url, more=more)) as box,
    ):
        switchboard = Switchboard(broker)
        box.until(lambda status: status["connected"])
        yield box, central, switchboard
        switchboard.client.disconnect()
        switchboard.client.loop_stop()


def replies(central: Subscriber) -> dict[str, dict]:
    return {event["data"]["id"]: event["data"] for event in central.events("reply")}


def test_every_command_with_an_id_is_answered_with_what_is_true_and_without_one_by_silence(tmp_path):
    with a_box(tmp_path) as (box, central, switchboard):
        switchboard.say("call/line-1/context", id="1", customer_ref="C-1", callback="+44 20 7946 0123")
        switchboard.say("call/line-1/start", id="2", pbx_call_id="A")
        switchboard.say("call/line-1/context", customer_ref="C-1", queue="silently")
        switchboard.say("call/line-1/context", id="3", customer_ref="C-2")
        switchboard.say("call/line-9/start", id="4")
        switchboard.say("call/line-1/context", id="5", call="nobody", queue="vip")
        switchboard.say("alert/ack", id="6", alert="c:alert", by="maria")
        switchboard.say("feedback/utterance", id="7", call="x", n=1, label="neutral", by="maria")
        switchboard.say("feedback/alert", id="8", alert="x:alert", justified=True, by="maria")
        switchboard.say("call/line-1/context", id="9", sekrit_key="sekrit value")
        switchboard.say("reboot", id="10")
        switchboard.say("call/line-1/end", id="11")
        switchboard.say("call/line-1/end", id="12")
        switchboard.say("selftest/run", id="13")
        until(lambda: len(replies(central)) == 13)
        told = replies(central)
        (started,) = central.events("call.started")
        assert started["data"]["callback"] == "+44 20 7946 0123"
        assert {number: (one["accepted"], one["reason"]) for number, one in told.items()} == {
            "1": (True, None),
            "2": (True, None),
            "3": (False, "other_customer"),
            "4": (False, "unknown_line"),
            "5": (False, "unknown_call"),
            "6": (False, "unknown_alert"),
            "7": (False, "unknown_utterance"),
            "8": (False, "unknown_alert"),
            "9": (False, "not_understood"),
            "10": (False, "unknown_command"),
            "11": (True, None),
            "12": (False, "no_call"),
            "13": (True, None),
        }
        assert told["2"]["call"] == told["3"]["call"] == started["data"]["call"]
        assert central.events("device.feedback") == []
        log = "\n".join(box.log)
    assert "sekrit" not in log
    assert "7946" not in log


def test_who_asks_with_a_response_topic_is_answered_there_with_his_correlation_data_and_nowhere_else(tmp_path):
    with a_box(tmp_path) as (_, central, switchboard):
        switchboard.say("call/line-1/start", answer_on="undertone-reply/switchboard/7", correlation=b"\x00seven", pbx_call_id="A")
        correlation, answer = switchboard.answer()
        assert (correlation, answer["command"], answer["accepted"], answer["id"]) == (b"\x00seven", "call/line-1/start", True, None)
        assert central.events("reply") == []
        switchboard.say("call/line-1/context", answer_on="undertone/v1/site/other/alert/billing", id="outside", call="x")
        switchboard.say("call/line-1/context", answer_on="undertone-reply/switchboard/8", id="both", call="x")
        correlation, answer = switchboard.answer()
        assert (correlation, answer["id"], answer["reason"]) == (None, "both", "unknown_call")
        until(lambda: set(replies(central)) == {"outside", "both"})
        assert [topic for topic, _, _ in central.messages if "other" in topic] == []


def test_a_command_that_the_box_was_killed_over_is_done_and_answered_when_it_is_back(tmp_path):
    with a_box(tmp_path) as (box, central, switchboard):
        box.process.kill()
        box.wait()
        switchboard.say("call/line-1/context", id="away", customer_ref="C-7")
        switchboard.say("call/line-1/start", id="start")
        box.start()
        until(lambda: set(replies(central)) == {"away", "start"}, 120)
        until(lambda: central.events("call.started"))
        assert central.events("call.started")[0]["data"]["customer_ref"] == "C-7"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_said_of_the_next_call_as_soon_as_the_box_is_there_is_not_lost(tmp_path, protocol):
    with Broker(tmp_path) as broker, Subscriber(broker.url) as central:
        switchboard = Switchboard(broker)
        talker = talks(QUIET_LINE)
        config = one_line(broker.url, talker).replace(f"url: '{broker.url}'", f"url: '{broker.url}', protocol: '{protocol}'")
        with Service(tmp_path, config) as box:
            until(lambda: [one for one in central.events("device.state") if one["data"]["state"] in ("online", "degraded")])
            switchboard.say("call/line-1/context", customer_ref="C-1")
            switchboard.say("call/line-1/start")
            until(lambda: central.events("call.started"))
            assert central.events("call.started")[0]["data"]["customer_ref"] == "C-1"
            assert box.process.poll() is None
        switchboard.client.disconnect()
        switchboard.client.loop_stop()


def test_a_customer_is_forgotten_by_command_and_it_is_told_what_went_and_not_whose_it_was(tmp_path):
    with a_box(tmp_path) as (_box, central, switchboard):
        switchboard.say("call/line-1/start", id="1", pbx_call_id="A", customer_ref="C-ANN")
        switchboard.say("call/line-1/end", id="2")
        switchboard.say("call/line-1/start", id="3", pbx_call_id="B", customer_ref="C-ANN")
        switchboard.say("call/line-1/context", id="4", pbx_call_id="C", customer_ref="C-ANN")
        until(lambda: len(central.events("call.started")) == 2)
        switchboard.say("customer/erase", id="5", customer_ref="C-ANN", by="dpo")
        switchboard.say("customer/erase", id="6", customer_ref="C-ANN", by="dpo")
        switchboard.say("call/line-1/start", id="7", pbx_call_id="C")
        until(lambda: len(replies(central)) == 7 and len(central.events("call.started")) == 3)
        until(lambda: central.events("call.failed") and central.events("device.erased"))
        told = replies(central)
        assert [(told[n]["accepted"], told[n]["reason"]) for n in ("5", "6")] == [(True, None), (True, "already")]
        first, second, third = (event["data"] for event in central.events("call.started"))
        [erased] = (event["data"] for event in central.events("device.erased"))
        assert (set(erased["calls"]), erased["announced"], erased["by"]) == ({first["call"], second["call"]}, 1, "dpo")
        [failed] = (event["data"] for event in central.events("call.failed"))
        assert (failed["call"], failed["reason"]) == (second["call"], "erased")
        assert (third["pbx_call_id"], third["customer_ref"]) == ("C", None)
        assert b"C-ANN" not in b"".join(path.read_bytes() for path in (tmp_path / "state").glob("outbox*"))
