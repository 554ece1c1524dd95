"""A box as the bus sees it, without ears: it tells scripted calls, and answers commands. For the desk's tests.

Events are plain values in the shapes of docs/bus.md, so that a test can also tell what no box would.
"""

import json
import random
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

from edge.clock import rfc3339, uuid7

LEVELS = {"low": 1, "medium": 2, "high": 3, "critical": 4}


class ScriptedBox:
    """Events of one box. Without `url` it only makes them; with it, `tell` publishes them and commands are answered."""

    def __init__(self, site: str = "leeds", device: str = "desk-014", *, url: str | None = None, protocol: int = mqtt.MQTTv5) -> None:
        self.site, self.device, self.commands = site, device, []
        self.source = f"/undertone/{site}/{device}"
        self._sequences: dict[str, int] = {}
        self._told = threading.Event()
        self._client: mqtt.Client | None = None
        if url is not None:
            place = urlsplit(url)
            self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=protocol)
            self._client.on_connect = self._on_connect
            self._client.on_message = self._on_command
            self._client.connect(str(place.hostname), place.port or 1883)
            self._client.loop_start()
            assert self._told.wait(20), "the box never got to the broker"

    def close(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def topic(self, event: Mapping[str, Any]) -> str:
        """Where `event` is told."""
        return f"undertone/v1/{self.site}/{self.device}/{event['_topic']}"

    def payload(self, event: Mapping[str, Any]) -> bytes:
        """`event` as it is told."""
        return json.dumps({key: value for key, value in event.items() if key != "_topic"}).encode()

    def tell(self, *events: Mapping[str, Any], retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        assert self._client is not None
        for event in events:
            self._client.publish(self.topic(event), self.payload(event), qos=1, retain=retain).wait_for_publish(20)

    def event(self, kind: str, topic: str, identity: str, data: Mapping[str, Any], *, time: datetime | None = None) -> dict[str, Any]:
        """A CloudEvent."""
        counted = topic.split("/", maxsplit=1)[0] not in {"state", "info", "health", "alerts"}
        if counted:
            self._sequences[topic] = self._sequences.get(topic, 0) + 1
        return {
            "specversion": "1.0", "id": identity, "source": self.source, "type": f"undertone.{kind}.v1", "_topic": topic,
            "time": rfc3339(time or datetime.now(UTC)), "datacontenttype": "application/json",
            "dataschema": f"urn:undertone:schema:{kind}:v1", "historical": False, "data": dict(data),
            **({"sequence": self._sequences[topic]} if counted else {}),
        }  # fmt: skip

    def state(self, state: str = "online", boot: int = 1, n: int = 1) -> dict[str, Any]:
        """How the box is."""
        data = {"state": state, "boot": boot, "since": None, "reasons": [], "lines": {"line-1": "up"}}
        return self.event("device.state", "state", f"{self.site}/{self.device}:state:{boot}:{n}", data)

    def health(self, n: int = 1, *, time: datetime | None = None) -> dict[str, Any]:
        """What it tells every minute, with the last sequence of each topic."""
        data = {"uptime_s": 60.0 * n, "sequences": dict(self._sequences)}
        return self.event("device.health", "health", f"{self.site}/{self.device}:health:1:{n}", data, time=time)

    def started(self, call: str, *, at: datetime | None = None, line: str = "line-1", **more: Any) -> dict[str, Any]:
        """A call begins."""
        at = at or datetime.now(UTC)
        data = {
            "call": call, "line": line, "desk": "4711", "started_at": rfc3339(at), "time_synced": True,
            "channels": ["customer", "agent"], "mode": "both", "privacy": "quotes",
            "customer_ref": None, "callback": None, "queue": "billing", **more,
        }  # fmt: skip
        return self.event("call.started", f"call/{line.partition('/')[0]}/started", f"{call}:started:1", data, time=at)

    def utterance(self, call: str, n: int, polarity: float, *, role: str = "customer", line: str = "line-1", **more: Any) -> dict[str, Any]:
        """One utterance, 4 s each."""
        label = "negative" if polarity < -0.3 else "positive" if polarity > 0.3 else "neutral"
        data = {
            "call": call, "line": line, "n": n, "role": role, "start_ms": n * 5000, "end_ms": n * 5000 + 4000,
            "verdict": {"label": label, "polarity": polarity, "p_negative": 0.5 - polarity / 2} if role == "customer" else None,
            "words": {"cause": {"code": "billing_error", "p": 0.8}}, **more,
        }  # fmt: skip
        return self.event("call.utterance", f"call/{line}/utterance", f"{call}:utterance:{n}", data)

    def alert(
        self, call: str, revision: int = 1, *, severity: str = "high", route: str = "billing", state: str = "new", **more: Any
    ) -> dict[str, Any]:
        """A snapshot of the call's one alert."""
        now = datetime.now(UTC)
        data = {
            "alert": f"{call}:alert", "revision": revision, "state": state, "severity": severity, "severity_level": LEVELS.get(severity, 1),
            "route": route, "cause": "billing_error", "probability": 0.93, "call": call, "line": "line-1", "desk": "4711",
            "reasons": [{"rule": "billing_complaint", "says": "complains about a bill", "severity": severity, "offset_ms": 15_000,
                         "evidence": [{"n": 3, "start_ms": 15_000, "end_ms": 19_000, "quote": "the third time you charged me twice"}]}],
            "opened_at": rfc3339(now), "updated_at": rfc3339(now), "page_until": rfc3339(now + timedelta(minutes=15)),
            "answerable_until": rfc3339(now + timedelta(days=14)), "acknowledged_by": None, "end_reason": None, **more,
        }  # fmt: skip
        return self.event("alert", f"alert/{data['route']}", f"{call}:alert:{revision}", data)

    def summary(self, call: str, *, score: float = -0.4, line: str = "line-1", at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """A call ended."""
        data = {
            "call": call, "line": line, "ended_at": rfc3339(at or datetime.now(UTC)), "duration_ms": 60_000, "closed_by": "idle",
            "utterances": 12, "customer_utterances": 6, "abstained": 0, "scores": {"mean": score, "end_weighted": score}, **more,
        }  # fmt: skip
        return self.event("call.summary", f"call/{line}/summary", f"{call}:summary:1", data, time=at)

    def gap(self, topic: str, first: int | None, last: int | None) -> dict[str, Any]:
        """Announced losses."""
        data = {"topic": topic, "first": first, "last": last, "lost": None, "reason": "evicted"}
        return self.event("device.gap", "gap", f"gap:{topic}:{first}-{last}", data)

    def call(self, random_: random.Random | None = None, **context: Any) -> list[dict[str, Any]]:
        """A whole call that turns sour, in order."""
        chance, name = random_ or random.Random(1), uuid7()
        talk = [self.utterance(name, n, chance.uniform(-0.2, 0.3) if n < 3 else chance.uniform(-0.9, -0.3)) for n in range(1, 8)]
        return [self.started(name, **context), *talk[:3], self.alert(name), *talk[3:], self.summary(name)]

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(f"undertone-cmd/v1/{self.site}/{self.device}/#", 1)
        self._told.set()

    def _on_command(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        command = json.loads(message.payload)
        self.commands.append((message.topic.split("/", 4)[4], command))
        data = {"id": command.get("id"), "command": message.topic.split("/", 4)[4], "accepted": True, "reason": None}
        event = self.event("reply", "reply", f"reply:{command.get('id')}", data)
        client.publish(self.topic(event), self.payload(event), qos=1)
