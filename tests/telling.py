"""What the bus tests share: events as literals, a subscriber that keeps what comes, and waiting without sleeping."""

import importlib.util
import json
import threading
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.outbox.outbox import Outbox
from edge.outbox.rows import COLUMNS, Row, read_row
from edge.values import OpenedBy
from edge.wire.codes import AlertEnd, AlertState, CallFailure, Severity
from edge.wire.context import Context
from edge.wire.events import Alert, Event, Failed, Started, Text, Updated, UtteranceHeard
from edge.wire.parts import LatencyData, ReasonData, TurnData

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
        opened_by=OpenedBy.VOICE, models={}, **asdict(Context()),
    )  # fmt: skip
    return Event(id=f"{call}:started:1", topic=f"call/{line}/started", time=NOON, data=data)


def updated(call: str = "c1", line: str = "line-1", **facts) -> Event:
    data = Updated(call=call, line=line, n=1, started_at=NOON, **asdict(Context(**facts)))
    return Event(id=f"{call}:updated:1", topic=f"call/{line}/updated", time=NOON, data=data)


def utterance(n: int, call: str = "c1", line: str = "line-1") -> Event:
    turn = TurnData(
        overlap_ms=0, interrupted=False, response_gap_ms=None, words_per_minute=None, level_dbfs=None, level_vs_baseline_db=None
    )  # fmt: skip
    data = UtteranceHeard(
        call=call, line=line, n=n, turn_id="t", part=0, channel=0, role="customer", start_ms=0, end_ms=1,
        voiced_ms=1, lost_ms=0, snr_db=None, voice=None, voice_reason="too_short", words=None, words_reason="no_words",
        intelligibility=None, verdict=None, turn=turn, scores=None,
        latency=LatencyData(endpoint_ms=None, words_ms=None, voice_ms=None, verdict_ms=None),
    )  # fmt: skip
    return Event(id=f"{call}:utterance:{n}", topic=f"call/{line}/utterance", time=NOON, data=data)


def failed(call: str = "c1", line: str = "line-1") -> Event:
    data = Failed(call=call, line=line, started_at=NOON, reason=CallFailure.RESTART)
    return Event(id=f"{call}:failed:1", topic=f"call/{line}/failed", time=NOON, data=data)


def alert(
    revision: int = 0,
    state: str = "new",
    *,
    call: str = "c1",
    line: str = "line-1",
    route: str = "billing",
    page_until: str = FOUR_HOURS_LATER,
    **given,
) -> Event:
    reason = ReasonData(
        rule="anger", rule_says="Angry.", severity=Severity.HIGH, severity_level=3, route=route, cause=None, probability=0.9, offset_ms=0,
        evidence=[], drivers=[], withdrawn=False,
    )  # fmt: skip
    end_reason = AlertEnd.CALL_OVER if state == "end" else None
    facts = {
        "alert": f"{call}:alert", "revision": revision, "state": AlertState(state), "end_reason": end_reason, "severity": Severity.HIGH,
        "severity_level": 3, "route": route, "reasons": [reason], "site": "leeds", "device": "desk-1", "call": call, "line": line,
        "started_at": NOON, "offset_ms": 0, "opened_at": NOON, "updated_at": NOON, "page_until": page_until,
        "answerable_until": "2036-12-07T12:00:00.000Z",
    }  # fmt: skip
    data = Alert(**{**dict.fromkeys(Alert.__struct_fields__), **facts, **given})
    return Event(id=f"{call}:alert:{revision}", topic=f"alert/{route}", time=NOON, data=data, alert_lane=True)


def open_outbox(folder: Path, *, max_bytes: int = 100_000_000, **given) -> Outbox:
    return Outbox(folder / "outbox.sqlite", max_bytes=max_bytes, site="leeds", device="desk-1", **given)


def waiting(outbox: Outbox) -> list[Row]:
    """All that is in it and not acknowledged, as it is on the disk: alerts first, then in order."""
    outbox.pending(1)
    outbox.counts()
    uptime, boot = outbox._uptime(), outbox.boot
    rows = outbox._store.read(f"SELECT {COLUMNS} FROM events ORDER BY lane, row")
    return [row for columns in rows if isinstance(row := read_row(columns, uptime=uptime, boot=boot), Row)]


def bodies(outbox: Outbox) -> list[dict]:
    """The events that wait in it."""
    return [json.loads(row.body) for row in waiting(outbox)]


def take(outbox: Outbox, count: int = 10_000) -> list[dict]:
    """Send and acknowledge so many, as a publisher does; the events."""
    taken = []
    while rows := outbox.pending(count - len(taken)):
        for row in rows:
            outbox.sent(row)
        for row in rows:
            outbox.acknowledged(row)
        taken += [json.loads(row.body) for row in rows]
    return taken


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
    """A real client that keeps every message; its session outlives the broker's and its own connections. `old`: MQTT 3.1.1."""

    def __init__(
        self, url: str, topic: str = "undertone/#", *, qos: int = 1, username: str | None = None, password: str | None = None,
        old: bool = False, name: str = "subscriber",
    ) -> None:  # fmt: skip
        self.messages: list[tuple[str, dict, bool]] = []
        self.subscribed = threading.Event()
        version = {"protocol": mqtt.MQTTv311, "clean_session": False} if old else {"protocol": mqtt.MQTTv5}
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, **version)
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
        kept = {} if old else {"clean_start": False, "properties": properties}
        self._client.connect("127.0.0.1", int(url.rpartition(":")[2]), **kept)
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
