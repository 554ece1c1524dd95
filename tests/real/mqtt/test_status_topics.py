"""What a real mosquitto retains of a box: its state, its will and the alerts that still take answers."""

import subprocess
import sys
from functools import partial

from edge.mqtt.publisher import Publisher
from edge.service.open_alerts import open_alerts
from edge.wire.codes import AlertEnd, BoxState
from tests.broker import Broker
from tests.real.mqtt.published import config, publishing, state
from tests.telling import NOON, PATIENCE_S, Subscriber, alert, text, until


def test_state_is_retained_first_online_then_stopped_and_lost_when_the_box_is_killed(tmp_path, outbox):
    with Broker(tmp_path) as broker:
        with Subscriber(broker.url) as subscriber:
            publisher = Publisher(config(broker.url), outbox, print)
            publisher.publish_state(state(outbox))
            publisher.start()
            until(lambda: subscriber.events("device.state"))
            outbox.put([text(n) for n in range(30)])
            publisher.publish_state(state(outbox, BoxState.STOPPED))
            publisher.stop(PATIENCE_S)
            until(lambda: len(subscriber.messages) == 32)
            assert subscriber.messages[0][1]["data"]["state"] == "online"
            assert subscriber.messages[-1][1]["data"]["state"] == "stopped"
        with Subscriber(broker.url) as late:
            until(lambda: late.events("device.state"))
            assert late.messages[0][1]["data"]["state"] == "stopped"
            assert late.messages[0][2] is True


def test_who_comes_late_gets_every_alert_that_still_takes_answers(tmp_path, outbox):
    closed = {"end_reason": AlertEnd.CLOSED, "closed_by": "maria"}
    outbox.put([alert(call="c1"), alert(call="c2"), alert(1, "end", call="c2"), alert(call="c3"), alert(1, "end", call="c3", **closed)])
    outbox.put([alert(call="c4", answerable_until=NOON)])
    with Broker(tmp_path) as broker, publishing(outbox, broker.url) as publisher:
        publisher.publish_alerts(open_alerts(outbox.records.answerable_alerts()))
        until(lambda: not outbox.counts().rows)
        with Subscriber(broker.url, "undertone/v1/leeds/desk-1/alerts") as late:
            until(lambda: late.messages)
            ((_, told, retained),) = late.messages
            assert retained
            assert sorted(one["alert"] for one in told["data"]["alerts"]) == ["c1:alert", "c2:alert"]
            outbox.put([alert(1, "end", call="c1", **closed), alert(2, "end", call="c2", **closed)])
            publisher.publish_alerts(open_alerts(outbox.records.answerable_alerts()))
            until(lambda: len(late.messages) > 1)
            assert late.messages[-1][1]["data"] == {"alerts": [], "left_out": 0}


def died(subscriber, times: int) -> bool:
    return len(subscriber.events("device.state")) == times


def test_the_will_carries_the_boot_of_its_start(tmp_path, outbox):
    box = tmp_path / "box"
    with Broker(tmp_path) as broker, Subscriber(broker.url) as subscriber:
        for boot in (1, 2):
            program = subprocess.Popen(
                [sys.executable, "-m", "tests.box", str(box), broker.url, "1", "100000"], stdout=subprocess.PIPE, text=True
            )
            until(lambda: subscriber.events("call.text"))
            program.kill()
            program.wait()
            program.stdout.close()
            until(partial(died, subscriber, boot))
            subscriber.messages[:] = [message for message in subscriber.messages if "text" not in message[0]]
        assert [(event["data"]["state"], event["data"]["boot"]) for event in subscriber.events("device.state")] == [
            ("lost", 1),
            ("lost", 2),
        ]
