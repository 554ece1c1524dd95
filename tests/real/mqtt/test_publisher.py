"""The publisher against a real mosquitto that dies, stays away, refuses and never answers; and against a box that is killed."""

import json
import socket
import threading
import time

import pytest

from edge.mqtt.link import Link
from edge.mqtt.publisher import Publisher
from edge.mqtt.session import HISTORICAL_S, body_now
from edge.wire.commands import AlertAction, CallContext, CallEnd, CallStart, Refused
from tests.broker import Broker
from tests.real.mqtt.published import config, publishing, state
from tests.scripted_broker import ScriptedBroker
from tests.telling import PATIENCE_S, Subscriber, alert, consumer, failed, open_outbox, started, text, until, waiting


def more_than(subscriber, count: int) -> bool:
    return len(subscriber.messages) > count


def proven(subscriber) -> dict:
    """What the docs' consumer finds missing, from number 1 on."""
    prove = consumer()(since=0)
    for topic, event, _ in list(subscriber.messages):
        prove.take(topic, event)
    return prove.missing()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_everything_arrives_in_order_and_leaves_the_outbox(tmp_path, outbox, protocol):
    with Broker(tmp_path) as broker, Subscriber(broker.url) as subscriber, publishing(outbox, broker.url, protocol=protocol):
        outbox.put([started(), *(text(n) for n in range(100)), failed()])
        until(lambda: outbox.counts().rows == 0)
        until(lambda: len(subscriber.messages) == 102)
    assert subscriber.sequences()["undertone/v1/leeds/desk-1/text/line-1"] == list(range(1, 101))


def test_how_long_commit_sending_and_puback_took_is_known(tmp_path, outbox):
    with Broker(tmp_path) as broker, publishing(outbox, broker.url) as publisher:
        assert (outbox.committed.spread(), publisher.sent.spread(), publisher.acknowledged.spread()) == (None, None, None)
        until(lambda: publisher.connected)
        outbox.put([text(n) for n in range(50)])
        until(lambda: outbox.counts().rows == 0)
        for spread in (outbox.committed.spread(), publisher.sent.spread(), publisher.acknowledged.spread()):
            assert 0 < spread.p50_ms <= spread.p95_ms <= spread.p99_ms < 60_000


def test_what_was_put_while_the_broker_had_not_answered_yet_slows_nothing_that_comes_after(tmp_path, outbox, monkeypatch):
    real = Link.open

    def open_late(link):
        outbox.put([text(0)])
        return real(link)

    monkeypatch.setattr(Link, "open", open_late)
    with Broker(tmp_path) as broker, publishing(outbox, broker.url) as publisher:
        until(lambda: outbox.counts().rows == 0)
        for n in range(1, 10):
            outbox.put([text(n)])
            until(lambda: outbox.counts().rows == 0)
        assert publisher.sent.spread().p50_ms < 300


def test_an_alert_made_while_the_broker_was_away_arrives_before_a_backlog_of_5000(tmp_path, outbox):
    outbox.put([text(n) for n in range(5000)])
    outbox.put([alert()])
    with Broker(tmp_path) as broker, Subscriber(broker.url) as subscriber, publishing(outbox, broker.url):
        until(lambda: len(subscriber.messages) == 5001)
        assert subscriber.messages[0][0] == "undertone/v1/leeds/desk-1/alert/billing"
        assert proven(subscriber) == {}


def test_an_alert_overtakes_a_backlog_that_is_already_on_its_way(tmp_path, outbox):
    outbox.put([text(n) for n in range(600)])
    with Broker(tmp_path) as broker, Subscriber(broker.url) as subscriber, publishing(outbox, broker.url):
        until(lambda: len(subscriber.messages) > 20)
        outbox.put([alert()])
        until(lambda: outbox.counts().rows == 0)
        until(lambda: len(subscriber.messages) == 601)
    assert [topic for topic, _, _ in subscriber.messages].index("undertone/v1/leeds/desk-1/alert/billing") < 550


def test_what_a_broker_refuses_for_a_moment_comes_before_its_successors_and_soon(outbox):
    taken: dict[str, list[int]] = {}
    # Quota exceeded (MQTT 5, 2.4), twice on one topic, once on the alerts'.
    refusals = {"text/line-1": [0x97] * 2, "alert/billing": [0x97]}

    def answer(topic: str) -> int:
        name = topic.split("/", 4)[-1]
        if refusals.get(name):
            return refusals[name].pop()
        taken.setdefault(name, []).append(json.loads(broker.published[-1].body).get("sequence"))
        return 0

    outbox.put([text(n, line=line) for n in range(1, 41) for line in ("line-1", "line-2")] + [alert(call=f"c{n}") for n in range(3)])
    with ScriptedBroker(answers=answer) as broker, publishing(outbox, broker.url) as publisher:
        until(lambda: outbox.counts().rows == 0, 25)
        assert publisher.troubles.all == []
    assert taken["text/line-1"] == taken["text/line-2"] == list(range(1, 41))
    assert taken["alert/billing"] == [1, 2, 3]


class MuteBroker:
    """Says yes to CONNECT and then nothing, ever: what a broker with a full disk, or a proxy before a dead one, looks like."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)
        self._open = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        # A blocked accept() ends only by a connection.
        socket.create_connection(self._server.getsockname()).close()
        self._thread.join()
        self._server.close()
        for connection in self._open:
            connection.close()

    def _serve(self):
        while True:
            connection, _ = self._server.accept()
            self._open.append(connection)
            if not connection.recv(1000):
                return
            # CONNACK of MQTT 5: no session, success, no properties.
            connection.sendall(bytes([0x20, 3, 0, 0, 0]))
            self.connections += 1


def test_a_broker_that_accepts_and_never_acknowledges_is_left_and_tried_again(outbox):
    outbox.put([text(1)])
    with MuteBroker() as mute:
        publisher = Publisher(config(mute.url), outbox, print, ack_s=0.3)
        publisher.start()
        until(lambda: mute.connections >= 2)
        until(lambda: publisher.troubles.all)
        assert "acknowledged nothing" in str(publisher.troubles.all[0])
        publisher.stop(PATIENCE_S)
    assert outbox.counts().rows == 1


def test_a_half_open_connection_is_found_out_and_everything_arrives_once_the_link_is_back(tmp_path, outbox):
    with Broker(tmp_path, persistent=True) as broker, Subscriber(broker.url) as subscriber:
        with publishing(outbox, broker.url, ack_s=0.5) as publisher:
            until(lambda: publisher.connected)
            broker.freeze()
            outbox.put([text(n) for n in range(200)])
            until(lambda: publisher.troubles.all)
            assert not publisher.connected
            broker.thaw()
            until(lambda: outbox.counts().rows == 0)
        until(lambda: len(set(subscriber.sequences().get("undertone/v1/leeds/desk-1/text/line-1", []))) == 200)
        assert proven(subscriber) == {}


@pytest.mark.parametrize("jump_s", [3600, -3600, 86_400, -86_400])
def test_a_clock_that_jumps_makes_nothing_historical_and_expires_no_alert(outbox, monkeypatch, jump_s):
    outbox.put([text(1), alert()])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    outbox.put([text(2)])
    assert [json.loads(body_now(row))["historical"] for row in waiting(outbox)] == [False] * 3


def test_what_comes_late_is_historical_and_an_alert_whose_time_is_over_pages_nobody(tmp_path):
    uptime = [1000.0]
    outbox = open_outbox(tmp_path, uptime=lambda: uptime[0])
    outbox.put([text(1), alert(), alert(call="c2", page_until="2026-11-24T12:00:00.000Z")])
    fresh = [json.loads(body_now(row))["historical"] for row in waiting(outbox)]
    uptime[0] += HISTORICAL_S + 1
    late = [json.loads(body_now(row))["historical"] for row in waiting(outbox)]
    uptime[0] += 5 * 3600
    over = {event["id"]: event["data"].get("state") for event in (json.loads(body_now(row)) for row in waiting(outbox))}
    outbox.close()
    assert fresh == [False] * 3
    assert late == [True] * 3
    assert over == {"c1:alert:0": "end", "c2:alert:0": "new", "c1:text:line-1:1": None}


def test_commands_reach_the_box_and_what_is_none_is_told_in_the_log(tmp_path, outbox, caplog):
    taken = []
    with Broker(tmp_path) as broker, Subscriber(broker.url) as subscriber, publishing(outbox, broker.url, taken.append) as publisher:
        until(lambda: publisher.connected)

        def say(topic, payload, *, retain=False):
            subscriber._client.publish(f"undertone-cmd/v1/leeds/desk-1/{topic}", payload, qos=1, retain=retain)

        say("call/line-1/start", "")
        until(lambda: len(taken) == 1)
        say("call/line-1/context", '{"queue": "billing", "notice_given": true}')
        say("alert/ack", '{"alert": "a", "by": "Jo"}')
        say("call/line-1/context", "not json, and a secret: 4111")
        say("reboot", "{}")
        say("call/line-1/start", "{}", retain=True)
        say("call/line-1/context", '{"queue": "' + "x" * 5000 + '"}')
        say("call/line-1/end", "{}")
        until(lambda: len(taken) == 6)
        for request in taken:
            request.done()
    assert [request.command for request in taken if not isinstance(request.command, Refused)] == [
        CallStart(line="line-1"),
        CallContext(line="line-1", queue="billing", notice_given=True),
        AlertAction(alert="a", action="ack", by="Jo"),
        CallEnd(line="line-1"),
    ]
    refused = [record.getMessage() for record in caplog.records if "command.refused" in record.getMessage()]
    assert len(refused) == 4
    assert "retained" in "".join(refused)
    assert "at most 4096" in "".join(refused)
    assert "4111" not in caplog.text


def test_a_topic_that_the_broker_refuses_is_told_and_does_not_hold_back_the_others(tmp_path, outbox):
    acl = "user box\ntopic readwrite undertone-cmd/#\ntopic write undertone/v1/+/+/alert/#\nuser all\ntopic read #\n"
    (tmp_path / "pw").write_text("p")
    outbox.put([text(1), alert()])
    with (
        Broker(tmp_path, passwords={"box": "p", "all": "a"}, acl=acl) as broker,
        Subscriber(broker.url, username="all", password="a") as subscriber,
        publishing(outbox, broker.url, username="box", password_file=str(tmp_path / "pw")) as publisher,
    ):
        until(lambda: subscriber.events("alert") and "refused (Not authorized)" in str(publisher.troubles.all[0]))
        assert "undertone/v1/leeds/desk-1/text/line-1" in str(publisher.troubles.all[0])
        assert "let this box write it in the broker's ACL" in str(publisher.troubles.all[0])
        until(lambda: outbox.counts().rows == 1)
        outbox.put([alert(1, "update")])
        until(lambda: len(subscriber.events("alert")) == 2)


def test_stopping_without_a_broker_is_quick_and_keeps_everything(outbox):
    outbox.put([text(1)])
    publisher = Publisher(config("mqtt://127.0.0.1:1"), outbox, print)
    publisher.publish_state(state(outbox))
    publisher.start()
    until(lambda: publisher.troubles.all)
    publisher.stop(5)
    assert not publisher.connected
    assert "is the broker running" in str(publisher.troubles.all[0])
    assert outbox.counts().rows == 1
