"""What the bus tests share: events as literals, a subscriber that keeps what comes, and waiting without sleeping."""

import importlib.util
import json
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.bus.events import Alert, Event, Failed, Started, Text
from edge.bus.outbox import Outbox

NOON, FOUR_HOURS_LATER = "2026-11-23T12:00:00.000Z", "2026-11-23T16:00:00.000Z"
# The broker, this process and the machine's other work share two cores.
PATIENCE_S = 60.0


def text(n: int, *, line: str = "line-1", call: str = "c1") -> Event:
    """The n-th call event of a topic: any small one would do."""
    data = Text(call=call, line=line, n=n, role="customer", start_ms=n, end_ms=n + 1, text="it works")
    return Event(id=f"{call}:text:{line}:{n}", topic=f"text/{line}", time=NOON, data=data)


def started(call: str = "c1", line: str = "line-1") -> Event:
    data = Started(
        call=call, line=line, desk=None, started_at=NOON, time_synced=True, channels=["customer"], mode="both", privacy="numbers",
        opened_by="voice", models={}, customer_ref=None, queue=None, notice_given=None,
    )  # fmt: skip
    return Event(id=f"{call}:started:1", topic=f"call/{line}/started", time=NOON, data=data)


def failed(call: str = "c1", line: str = "line-1") -> Event:
    data = Failed(call=call, line=line, started_at=NOON, reason="source_lost")
    return Event(id=f"{call}:failed:1", topic=f"call/{line}/failed", time=NOON, data=data)


def alert(
    revision: int = 0, state: str = "new", *, rule: str = "anger", route: str = "billing", expires_at: str = "2026-11-23T16:00:00.000Z"
) -> Event:
    data = Alert(
        alert=f"c1:alert:{rule}", revision=revision, state=state, rule=rule, rule_says="Angry.", severity="high", route=route, cause=None,
        probability=0.9, evidence=[], drivers=[], call="c1", line="line-1", desk=None, started_at=NOON, customer_ref=None, queue=None,
        opened_at=NOON, updated_at=NOON, expires_at=expires_at, offset_ms=0, acknowledged_by=None, contacted_by=None, outcome=None,
        end_reason="call_over" if state == "end" else None,
    )  # fmt: skip
    return Event(id=f"c1:alert:{rule}:{revision}", topic=f"alert/{route}", time=NOON, data=data, alert_lane=True)


def open_outbox(folder: Path, *, max_bytes: int = 100_000_000, **given) -> Outbox:
    return Outbox(folder / "outbox.sqlite", max_bytes=max_bytes, site="leeds", device="desk-1", **given)


def drained(outbox: Outbox) -> list[dict]:
    """All that comes out of it, as a publisher takes it."""
    told, quiet = [], 0
    # Damage may be found only when an event is read, or deleted (by `counts`); what is pending next tells of it.
    while quiet < 3:
        rows = outbox.pending(50)
        told += [json.loads(row.body) for row in rows]
        for row in rows:
            outbox.sent(row)
            outbox.acknowledged(row)
        quiet = 0 if rows or outbox.counts().rows else quiet + 1
    return told


def consumer():
    """The consumer of the docs, exactly as shipped."""
    path = Path(__file__).parent.parent / "docs" / "consumer.py"
    spec = importlib.util.spec_from_file_location("consumer", path)
    module = importlib.util.module_from_spec(spec)
    # dataclasses looks its module up.
    import sys

    sys.modules["consumer"] = module
    spec.loader.exec_module(module)
    return module.Consumer


def until(happened, patience_s: float = PATIENCE_S) -> None:
    """Return once `happened()`; a look every 20 ms, because nobody tells a test what a thread has done."""
    give_up = time.monotonic() + patience_s
    never = threading.Event()
    while not happened():
        assert time.monotonic() < give_up, "did not happen in time"
        never.wait(0.02)


class Subscriber:
    """A real client that keeps every message; its session outlives the broker's and its own connections (MQTT 5)."""

    def __init__(
        self, url: str, topic: str = "undertone/#", *, qos: int = 1, username: str | None = None, password: str | None = None
    ) -> None:
        self.messages: list[tuple[str, dict, bool]] = []
        self.subscribed = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="subscriber", protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(0.05, 0.2)
        if username:
            self._client.username_pw_set(username, password)
        self._topic, self._qos = topic, qos
        self._client.on_connect = self._connected
        self._client.on_disconnect = lambda *_: self.subscribed.clear()
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = lambda _c, _d, message: self.messages.append((message.topic, json.loads(message.payload), message.retain))
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", int(url.rpartition(":")[2]), clean_start=False, properties=properties)
        self._client.loop_start()

    def __enter__(self) -> Self:
        assert self.subscribed.wait(PATIENCE_S)
        return self

    def _connected(self, client, *_) -> None:
        # Until the SUBACK of this connection, something that the broker kept for us may still be in the broker alone.
        self.subscribed.clear()
        client.subscribe(self._topic, self._qos)

    def __exit__(self, *_) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def events(self, kind: str | None = None) -> list[dict]:
        return [event for _, event, _ in list(self.messages) if kind is None or event["type"] == f"undertone.{kind}.v1"]

    def sequences(self) -> dict[str, list[int]]:
        """Topic -> the numbers in order of arrival, repeats of a seen id left out."""
        seen, found = set(), defaultdict(list)
        for topic, event, _ in list(self.messages):
            if "sequence" in event and event["id"] not in seen:
                seen.add(event["id"])
                found[topic].append(event["sequence"])
        return dict(found)
