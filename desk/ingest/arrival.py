"""What arrives from the bus, looked at before anybody trusts it. Tolerant: unknown fields and later revisions pass; forged ones do not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from edge.clock import rfc3339
from edge.errors import one_line

# An event with a megabyte of quotes is still an event; what is far beyond is none of ours.
_MAX_BYTES = 2_000_000
# Of which only the latest counts; they bypass a box's outbox and its sequences.
STATUS = frozenset({"state", "info", "health", "alerts", "selftest", "model"})
_TOPIC = re.compile(r"(?P<site>[A-Za-z0-9][A-Za-z0-9._-]{0,63})/(?P<device>[A-Za-z0-9][A-Za-z0-9._-]{0,63})/(?P<topic>.+)", re.DOTALL)


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    source: str
    type: str
    time: str
    sequence: int | None = None
    data: dict[str, Any]


_decoder = msgspec.json.Decoder(_Envelope)


class Unfit(ValueError):  # noqa: N818 (an answer, not a failure)
    """Not an event of the box whose topic it came on; the message says why, in one line, without its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event: `topic` is without prefix, site and device; `body` the payload as text."""

    id: str
    source: str
    site: str
    device: str
    type: str
    topic: str
    time: str
    sequence: int | None
    data: Mapping[str, Any]
    body: str

    @property
    def kind(self) -> str:
        """The type without "undertone." and its version: call.utterance."""
        return re.sub(r"\.v\d+$", "", self.type).removeprefix("undertone.")

    @property
    def call(self) -> str | None:
        """The call it is about."""
        return text(self.data, "call", 64)


def text(data: Mapping[str, Any], key: str, most: int = 200) -> str | None:
    """The text at `key`, at most `most` characters of it, without characters that no database takes; None where there is none."""
    value = data.get(key)
    return value.replace("\x00", "")[:most] if isinstance(value, str) and value else None


def number(data: Mapping[str, Any], key: str) -> float | None:
    """The number at `key`; None where there is none."""
    value = data.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(data: Mapping[str, Any], key: str) -> int | None:
    """The whole number at `key` that fits a database; None where there is none."""
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53 else None


def moment(written: object) -> str | None:
    """`written` as RFC 3339 UTC with milliseconds, so that times compare as text; None for what is no time."""
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written)
        return rfc3339(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def read(prefix: str, topic: str, payload: bytes) -> Arrival:
    """The event on `topic`. Raises Unfit."""
    place = _TOPIC.fullmatch(topic.removeprefix(f"{prefix}/")) if topic.startswith(f"{prefix}/") else None
    if place is None:
        raise Unfit("not a box's topic")
    if len(payload) > _MAX_BYTES:
        raise Unfit(f"{len(payload)} bytes, which no event has")
    try:
        envelope = _decoder.decode(payload)
        body = payload.decode("utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unfit(f"not a CloudEvent: {one_line(str(error))[:200]}") from error
    source = f"/undertone/{place['site']}/{place['device']}"
    if envelope.source != source:
        raise Unfit("its source is another box than its topic")
    time = moment(envelope.time)
    if time is None or not envelope.id:
        raise Unfit("it has no time, or no id")
    if not 0 < len(envelope.id) <= 300 or len(place["topic"]) > 300:  # noqa: PLR2004 (the longest of ours has 120)
        raise Unfit("its id or topic is longer than any of ours")
    sequence = envelope.sequence if envelope.sequence is not None and 0 < envelope.sequence < 1 << 53 else None
    return Arrival(
        id=envelope.id.replace("\x00", ""), source=source, site=place["site"], device=place["device"], type=envelope.type[:200],
        topic=place["topic"].replace("\x00", ""), time=time, sequence=sequence, data=envelope.data, body=body,
    )  # fmt: skip
