"""A broker, or the way to it, that is there and does nothing; and an alert that waits behind a backlog."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from edge.outbox.outbox import Outbox
from tests.broker import Broker
from tests.chaos.proxy import Proxy
from tests.chaos.table import Row, Scale
from tests.telling import Subscriber, alert, consumer, open_outbox, text, until

# As shipped: a PUBACK is waited for 20 s, a silent connection is asked after 30 s and given up 30 s later.
_ACK_S, _KEEPALIVE_S = 20.0, 30
# A try that meets a hole waits 10 s for its CONNACK, and the longest pause between two tries is 30 s.
_AGAIN_S = 45.0
_EVENTS = 200


@dataclass(frozen=True, kw_only=True)
class _Case:
    fault: str
    mode: str
    lasts_s: float
    idle: bool = False


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """Each fault on a broker and a box of its own, all at the same time: the longest takes 10 minutes."""
    whole = scale.size >= 1
    short = (60.0, 40.0, 600.0, 600.0) if whole else (4.0, 4.0, 5.0, 11.0)
    cases = [
        _Case(fault="broker stops acknowledging", mode="no_acks", lasts_s=short[0]),
        _Case(fault="network black-holed", mode="hole", lasts_s=short[1]),
        _Case(fault="half-open connection, events waiting", mode="hole", lasts_s=short[2]),
        _Case(fault="half-open connection, nothing to say", mode="hole", lasts_s=short[3], idle=True),
    ]
    # The shortest keep-alive that the configuration takes.
    ack_s, keepalive_s = (_ACK_S, _KEEPALIVE_S) if whole else (2.0, 5)
    with ThreadPoolExecutor(len(cases)) as pool:
        yield from pool.map(lambda case: _silent(folder / case.fault.replace(" ", "-"), case, ack_s, keepalive_s, scale.slack), cases)
    yield _backlog(folder / "backlog", scale)


@contextmanager
def publishing(outbox: Outbox, url: str, **given) -> Iterator[Publisher]:
    config = Config(site="leeds", device="desk-1", mqtt=MqttConfig(url=url, keepalive_s=given.pop("keepalive_s", 30)))
    publisher = Publisher(config, outbox, lambda _command: None, **given)
    publisher.start()
    try:
        yield publisher
    finally:
        publisher.stop(10)


def _silent(folder: Path, case: _Case, ack_s: float, keepalive_s: int, slack: float) -> Row:
    with Broker(folder, persistent=True) as broker, Subscriber(broker.url) as subscriber, Proxy(broker.port) as proxy:
        outbox = open_outbox(folder)
        with publishing(outbox, proxy.url, ack_s=ack_s, keepalive_s=keepalive_s) as publisher:
            until(lambda: publisher.connected)
            outbox.put([text(0)])
            until(lambda: outbox.counts().rows == 0)
            began, proxy.mode = time.monotonic(), case.mode
            if not case.idle:
                outbox.put([text(n) for n in range(1, _EVENTS)])
            until(lambda: not publisher.connected or publisher.troubles.all, case.lasts_s + 2 * keepalive_s + 60)
            noticed = time.monotonic() - began
            if case.idle:
                outbox.put([text(n) for n in range(1, _EVENTS)])
            until(partial(_past, began + case.lasts_s), case.lasts_s + 60)
            proxy.mode = "pass"
            lifted = time.monotonic()
            until(lambda: outbox.counts().rows == 0, 120 * slack)
            until(lambda: len(set(_numbers(subscriber))) == _EVENTS)
            well = time.monotonic() - lifted
        outbox.close()
        return _row(case, noticed, well, subscriber, within=(2 * keepalive_s if case.idle else ack_s) + 5, slack=slack)


def _row(case: _Case, noticed: float, well: float, subscriber: Subscriber, *, within: float, slack: float) -> Row:
    lost = _EVENTS - len(set(_numbers(subscriber)))
    return Row(
        fault=case.fault,
        done=f"for {case.lasts_s:g} s by a proxy that closes nothing; {_EVENTS} events",
        result=f"noticed after {noticed:.1f} s (bound {within:g} s), told; {lost} lost, {_unproven(subscriber)} ranges unproven",
        good=not lost and not _unproven(subscriber) and noticed <= within * slack and well <= _AGAIN_S * slack,
        well_again_s=well,
    )


def _past(moment: float) -> bool:
    return time.monotonic() >= moment


def _numbers(subscriber: Subscriber) -> list[int]:
    return [event["sequence"] for event in subscriber.events("call.text")]


def _unproven(subscriber: Subscriber) -> int:
    prove = consumer()(since=0)
    for topic, event, _ in list(subscriber.messages):
        prove.take(topic, event)
    return sum(map(len, prove.missing().values()))


def _backlog(folder: Path, scale: Scale) -> Row:
    """Into an outbox whose broker is away: a backlog, then an alert. The subscriber stays, so that it hears the first event."""
    events = scale.of(5000, 500)
    with Broker(folder) as broker, Subscriber(broker.url) as subscriber, Proxy(broker.port) as proxy:
        outbox = open_outbox(folder)
        proxy.mode = "away"
        with publishing(outbox, proxy.url) as publisher:
            until(lambda: publisher.troubles.all)
            outbox.put([text(n) for n in range(events)])
            outbox.put([alert()])
            proxy.mode = "pass"
            back = time.monotonic()
            until(lambda: subscriber.events("alert"))
            told = time.monotonic() - back
            until(lambda: len(subscriber.events()) == events + 1, 120 * scale.slack)
            well = time.monotonic() - back
        outbox.close()
        place = [event["type"] for event in subscriber.events()].index("undertone.alert.v1") + 1
    return Row(
        fault="alert made while the broker is away",
        done=f"behind a backlog of {events:,} events",
        result=f"reached a subscriber as number {place} of {events + 1:,}, {told:.1f} s after the broker was back",
        good=place == 1,
        well_again_s=well,
    )
