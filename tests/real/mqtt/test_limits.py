"""The publisher against brokers with limits, and brokers that end connections."""

import threading
from contextlib import contextmanager
from queue import SimpleQueue
from types import SimpleNamespace

import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes

from edge.config import Config, MqttConfig
from edge.doctor import bus
from edge.errors import UndertoneError
from edge.mqtt import held_topics, reconnects, session
from edge.mqtt.link import Link, packet_bytes
from edge.mqtt.publisher import Publisher
from edge.mqtt.reasons import TAKEN_OVER
from edge.wire.codes import BoxState
from edge.wire.device import State
from tests import scripted_broker as script
from tests.scripted_broker import ScriptedBroker
from tests.telling import PATIENCE_S, alert, text, until
from tests.unit.wire.test_schema import EVERYTHING

SMALL = next(event.data for event in EVERYTHING if event.data.kind == "device.info")
# More than 1,000 bytes, as a real one is.
INFO = msgspec.structs.replace(SMALL, lines=SMALL.lines * 20)
# What may not happen any more is watched for so long: much longer than a connection takes, much shorter than the next try.
WATCHED_S = 0.3


def config(url: str, **mqtt) -> Config:
    return Config(site="leeds", device="desk-1", mqtt=MqttConfig(url=url, **mqtt))


def state(outbox) -> State:
    return State(state=BoxState.ONLINE, boot=outbox.boot, since=None, reasons=[], lines={})


@pytest.fixture
def least_waits(monkeypatch):
    """Of each random wait the shortest: none before the next try, half of the long ones. All of them, as they are drawn.

    How long anything takes is not asked here: a busy machine must not look like a broker that has stopped answering, nor like one that
    ends connections seldom; and what is left alone for a while must not be tried again before a test has looked.
    """
    drawn = []
    monkeypatch.setattr(session, "_PROMPT_S", PATIENCE_S)
    monkeypatch.setattr(reconnects, "_SHORT_S", PATIENCE_S)
    monkeypatch.setattr(held_topics, "_DEADLY_FIRST_S", 2 * PATIENCE_S)

    def least_of(least: float, _most: float) -> float:
        drawn.append(least)
        return least

    # Its own name for the module alone: others draw from it, too, such as what says when trouble is told again.
    monkeypatch.setattr(reconnects, "random", SimpleNamespace(uniform=least_of))
    return drawn


@contextmanager
def publishing(outbox, url, on_request=lambda request: request.done(), **mqtt):
    publisher = Publisher(config(url, **mqtt), outbox, on_request)
    publisher.publish_info(INFO)
    publisher.publish_state(state(outbox))
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop(PATIENCE_S)


def told(publisher) -> str:
    return " | ".join(str(one) for one in publisher.troubles.all)


def stays(so) -> None:
    """`so()` still holds a while later."""
    threading.Event().wait(WATCHED_S)
    assert so()


def troubles(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith("bus.trouble")]


# --- limits that are announced ---------------------------------------------------------------------------------------


def test_what_is_larger_than_the_broker_takes_is_held_and_named_and_the_rest_goes_on(outbox, caplog):
    with ScriptedBroker(connack={script.MAXIMUM_PACKET: 1000}) as broker, publishing(outbox, broker.url) as publisher:
        outbox.put([text(n) for n in range(24)])
        until(lambda: not outbox.counts().rows and publisher.troubles.all)
        (problem,) = publisher.troubles.all
        assert problem.where == "undertone/v1/leeds/desk-1/info"
        assert "bytes, and the broker takes packets of at most 1,000" in problem.what
        assert "max_packet_size" in problem.remedy
        assert publisher.connected
        assert "state" in broker.topics()
        assert "info" not in broker.topics()
        outbox.put([text(99)])
        until(lambda: not outbox.counts().rows)
    assert broker.connects == 1
    assert max(one.size for one in broker.published) <= 1000
    assert len(troubles(caplog)) == 1


def test_an_event_that_is_too_large_holds_its_own_topic_alone_and_keeps_its_order(outbox):
    outbox.put([alert(), alert(1, "update"), text(1)])
    with ScriptedBroker(connack={script.MAXIMUM_PACKET: 1000}) as broker:
        with publishing(outbox, broker.url) as publisher:
            until(lambda: outbox.counts().rows == 2 and len(publisher.troubles.all) == 2)
            assert "alert/billing" in told(publisher)
        assert not [topic for topic in broker.topics() if topic.startswith("alert")]
    # A broker that takes more: all that was held comes, in its order.
    with ScriptedBroker() as broker, publishing(outbox, broker.url) as publisher:
        until(lambda: not outbox.counts().rows)
        assert not publisher.troubles.all
    assert broker.topics().count("alert/billing") == 2


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_size_of_a_packet_is_known_to_the_byte(protocol):
    # Around the lengths at which the remaining length takes another byte.
    bodies = [b"x" * size for size in (0, 1, 60, 61, *range(70, 127), *range(16_300, 16_384, 7), 100_000, 2_097_100, 2_097_152)]
    with ScriptedBroker() as broker:
        inbox = SimpleQueue()
        link = Link(MqttConfig(url=broker.url, protocol=protocol), client_id="x", inbox=inbox)
        link.open()
        for body in bodies:
            link.publish("a/b", body, correlation=b"c" * (len(body) % 5) or None)
        until(lambda: len(broker.published) == len(bodies))
        sizes = [packet_bytes("a/b", body, properties(link, b"c" * (len(body) % 5) or None)) for body in bodies]
        link.close()
    assert [one.size for one in broker.published] == sizes
    assert all(not one.body.strip(b"x") for one in broker.published)


def properties(link, correlation):
    given = link._properties(PacketTypes.PUBLISH)
    if given is not None and correlation is not None:
        given.CorrelationData = correlation
    return given


UNFIT = {
    "maximum QoS 0": ({script.MAXIMUM_QOS: 0}, 0, "QoS 0 alone"),
    "no retained messages": ({script.RETAIN: 0}, 0, "no retained messages"),
    "no wildcards": ({script.WILDCARDS: 0}, 0, "no subscription with a wildcard"),
    "the will's QoS refused": ({}, 0x9B, "QoS not supported"),
    "the will's retain refused": ({}, 0x9A, "Retain not supported"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_broker_that_no_box_can_use_is_refused_once_and_clearly(outbox, caplog, case):
    connack, refusal, says = UNFIT[case]
    with ScriptedBroker(connack=connack, refusal=refusal) as broker:
        with publishing(outbox, broker.url) as publisher:
            until(lambda: publisher.troubles.all)
            assert says in told(publisher)
            assert "docs/bus.md" in told(publisher)
            stays(lambda: broker.connects == 1)
        with pytest.raises(UndertoneError, match=says):
            bus.broker(config(broker.url))
    assert len(troubles(caplog)) == 1


@pytest.mark.parametrize(("window", "at_most"), [(1, 1), (3, 3), (1000, 20)])
def test_no_more_is_unanswered_than_the_broker_allows(outbox, window, at_most):
    outbox.put([text(n) for n in range(60)])
    with ScriptedBroker(connack={script.RECEIVE_MAXIMUM: window}) as broker, publishing(outbox, broker.url):
        until(lambda: not outbox.counts().rows)
    assert broker.most_unanswered <= at_most


@pytest.mark.parametrize("aliases", [0, 10])
def test_topics_are_sent_whole_whatever_aliases_the_broker_would_remember(outbox, aliases):
    outbox.put([text(n) for n in range(10)])
    with ScriptedBroker(connack={script.TOPIC_ALIAS_MAXIMUM: aliases}) as broker, publishing(outbox, broker.url):
        until(lambda: not outbox.counts().rows)
    assert all(one.topic and not one.aliased for one in broker.published)


def test_a_message_that_one_user_may_not_send_more_of_is_no_matter_of_the_acl(outbox):
    outbox.put([text(1)])
    with ScriptedBroker(answers=lambda topic: 0x97 if "text" in topic else 0) as broker, publishing(outbox, broker.url) as publisher:
        until(lambda: "Quota exceeded" in told(publisher))
        assert "raise what the broker grants" in told(publisher)


def test_a_broker_that_cuts_each_connection_on_which_it_refuses_something_is_no_other_box(outbox, least_waits):
    outbox.put([text(n, line=f"line-{n}") for n in range(8)])
    broker = ScriptedBroker(answers=lambda topic: 0 if topic.endswith("state") else 0x87, ends_after=2)
    with broker, publishing(outbox, broker.url) as publisher:
        until(lambda: len(publisher.troubles.standing) == 9)
        assert all("ACL" in problem.remedy for problem in publisher.troubles.standing)


# --- connections that are ended --------------------------------------------------------------------------------------

REASONS = [
    0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D,
    0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
]  # fmt: skip


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_connections_that_are_ended_without_a_word_make_another_box_the_suspect(outbox, caplog, least_waits, protocol):
    # Both of what there is to tell have been taken: nothing is on its way that could be too large.
    with ScriptedBroker(ends_after=2) as broker, publishing(outbox, broker.url, protocol=protocol) as publisher:
        until(lambda: publisher.troubles.standing)
        (suspicion,) = publisher.troubles.standing
        assert "as if another box had this one's site and device" in suspicion.what
        stays(lambda: broker.connects == 5)
    assert len([line for line in troubles(caplog) if "another box" in line]) == 1


@pytest.mark.parametrize("reason", REASONS, ids=hex)
def test_a_reason_is_told_with_a_remedy_and_a_row_of_ended_connections_is_left_alone(outbox, caplog, least_waits, reason):
    with ScriptedBroker(ends_at=1, says=reason) as broker, publishing(outbox, broker.url) as publisher:
        # Of the fifth: while that one is being made, what is told is still the fourth's.
        until(lambda: max(least_waits, default=0) > 0 and "connection lost: " in told(publisher))
        stays(lambda: broker.connects == 5)
        first = publisher.troubles.all[0]
        assert "connection lost: " in first.what
        assert first.remedy
        assert ("another box has this one's site and device" in told(publisher)) == (reason == TAKEN_OVER)
        assert broker.url in str(first)
    # One line for the reason, one for who is suspected.
    assert len(troubles(caplog)) <= 2


def test_a_size_that_nobody_announced_is_found_out_by_the_connections_that_end_at_it(outbox, caplog, least_waits):
    outbox.put([text(n) for n in range(5)])
    with ScriptedBroker(cuts_above=1000) as broker, publishing(outbox, broker.url, protocol="3.1.1") as publisher:
        # Not before it is held: until then a connection that is up may be the next to end.
        until(lambda: not outbox.counts().rows and publisher.connected and "ends the connection at a message of" in told(publisher))
        (problem,) = publisher.troubles.all
        assert problem.where == "undertone/v1/leeds/desk-1/info"
        connects = broker.connects
        assert connects <= 4
        stays(lambda: broker.connects == connects and publisher.connected)


def test_a_message_that_is_told_to_be_too_large_is_held_at_once(outbox, least_waits):
    with ScriptedBroker(cuts_above=1000, says=0x95) as broker, publishing(outbox, broker.url) as publisher:
        until(lambda: publisher.connected and [one.where for one in publisher.troubles.all] == ["undertone/v1/leeds/desk-1/info"])
        stays(lambda: broker.connects == 2)
