"""How fast what an outage left in a box comes to the broker: one event of a topic at a time, so a round trip an event.

The baseline is what that order costs: a bare client that has 20 messages on their way, over the same line to the same broker.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt

from edge.config import Config, MqttConfig
from edge.mqtt.limits import WINDOW
from edge.mqtt.publisher import Publisher
from edge.wire.events import Event
from tests.bench.row import Row
from tests.broker import Broker
from tests.slow_line import SlowLine
from tests.telling import Subscriber, open_outbox, text, until, utterance

# Of each about as long as it takes to see a steady rate.
_LOOPBACK, _FAR = 5000, 500


def _one_topic(count: int) -> list[Event]:
    return [text(n) for n in range(1, count + 1)]


def _of_a_call(count: int) -> list[Event]:
    """Utterances and their words, by turns."""
    return [make(n) for n in range(1, count // 2 + 1) for make in (utterance, text)]


def _box(folder: Path, url: str, subscriber: Subscriber, events: list[Event]) -> float:
    """Events a second, from the first that arrives."""
    outbox = open_outbox(folder)
    outbox.put(events)
    publisher = Publisher(Config(site="leeds", device="desk-1", mqtt=MqttConfig(url=url)), outbox, lambda request: request.done())
    publisher.start()
    try:
        return _rate(subscriber, len(events))
    finally:
        publisher.stop(10)
        outbox.close()
        for numbers in subscriber.sequences().values():
            assert numbers == list(range(1, len(numbers) + 1))


def _bridged(folder: Path, url: str, subscriber: Subscriber, events: list[Event]) -> float:
    """The same box beside a site's broker, which passes on what it gets (systemd/mosquitto/bridge.conf)."""
    bridge = f"""
connection site-to-centre
address {url.removeprefix("mqtt://")}
topic undertone/# out 1
cleansession false
bridge_protocol_version mqttv50
notifications false
max_inflight_messages {WINDOW}
"""
    with Broker(folder / "site", extra=bridge) as site:
        return _box(folder, site.url, subscriber, events)


def _bare(folder: Path, url: str, subscriber: Subscriber, events: list[Event]) -> float:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(WINDOW)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", int(url.rpartition(":")[2]))
    client.loop_start()
    try:
        for _ in events:
            client.publish("undertone/bare", b'{"type": "bare"}'.ljust(400), qos=1)
        return _rate(subscriber, len(events))
    finally:
        client.disconnect()
        client.loop_stop()


def _rate(subscriber: Subscriber, count: int) -> float:
    # Longer than the slowest of them takes: a round trip an event.
    until(lambda: subscriber.messages, 60)
    began, first = time.monotonic(), len(subscriber.messages)
    until(lambda: len(subscriber.messages) >= count, 120)
    return (count - first) / (time.monotonic() - began)


def backlog(runs: int) -> list[Row]:
    """On loopback, and over a line of 20 ms each way."""
    rows = []
    for one_way_s, count in ((0.0, _LOOPBACK), (0.02, _FAR)):
        made: list[tuple[str, Callable[..., float], list[Event]]] = [
            ("of one topic", _box, _one_topic(count)),
            ("of a call, by turns on two topics", _box, _of_a_call(count)),
            ("of one topic, through a site's broker", _bridged, _one_topic(count)),
            (f"bare client, {WINDOW} at a time", _bare, _one_topic(count)),
        ]
        for what, send, events in made:
            found = [_measured(send, events, one_way_s) for _ in range(runs)]
            name = f"backlog drained a second, {2000 * one_way_s:.0f} ms round trip: {what}"
            spread = f"{count} events, {min(found):.0f} to {max(found):.0f}"
            rows.append(Row(name=name, figure=statistics.median(found), unit="events", higher=True, detail=spread))
    return rows


def _measured(send: Callable[..., float], events: list[Event], one_way_s: float) -> float:
    with (
        tempfile.TemporaryDirectory() as name,
        Broker(Path(name)) as broker,
        SlowLine(broker.port, one_way_s=one_way_s) as line,
        Subscriber(broker.url) as subscriber,
    ):
        return send(Path(name), line.url, subscriber, events)
