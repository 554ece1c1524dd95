"""CloudEvents 1.0 envelopes, structured mode, JSON."""

from datetime import datetime
from typing import Literal

import msgspec

from edge.wire.codes import AlertEnd, AlertState
from edge.wire.events import Alert, Event
from edge.wire.parts import Wire

# The content type of a CloudEvent as a whole (MQTT 5 property; 3.1.1 has no place for it).
CONTENT_TYPE = "application/cloudevents+json"
# What each field of it means, as edge.wire.fields says of the data.
ENVELOPE: dict[str, str] = {
    "specversion": "CloudEvents version.",
    "id": "Unique for its source, and the same each time it is sent: drop what you have seen.",
    "source": "The box: /undertone/<site>/<device>.",
    "type": "What it is; a breaking change gets a new number at the end.",
    "time": "When it happened, RFC 3339 UTC.",
    "subject": "The call it is about; absent where it is about none.",
    "datacontenttype": "Of data.",
    "dataschema": "Name of this schema.",
    "sequence": "Counts the events of this topic, from 1, without holes but announced ones; absent where only the latest counts.",
    "historical": "Sent more than 60 s after it happened: late, and nothing else. Whether an alert still pages, its page_until says.",
    "data": "The event itself.",
}


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """CloudEvents 1.0 structured-mode JSON. `sequence` counts per topic; `historical` marks what was sent late."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: str
    subject: str | None = None
    datacontenttype: str
    dataschema: str
    sequence: int | None = None
    historical: bool
    data: msgspec.Raw


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudEvent)
_alerts = msgspec.json.Decoder(Alert)


def type_name(data: Wire | type[Wire]) -> str:
    """The CloudEvents type: undertone.call.utterance.v1."""
    return f"undertone.{data.kind}.v{data.schema_version}"


def schema_name(data: Wire | type[Wire]) -> str:
    """The URN of the JSON Schema that the event obeys."""
    return f"urn:undertone:schema:{data.kind}:v{data.schema_version}"


def envelope(event: Event, *, site: str, device: str, sequence: int | None) -> bytes:
    """`event` as CloudEvents JSON (UTF-8). `sequence` counts from 1 per topic; None for what is not counted (state, info, health)."""
    return _encoder.encode(
        CloudEvent(
            specversion="1.0",
            id=event.id,
            source=f"/undertone/{site}/{device}",
            type=type_name(event.data),
            time=event.time,
            subject=getattr(event.data, "call", None),
            datacontenttype="application/json",
            dataschema=schema_name(event.data),
            sequence=sequence,
            historical=False,
            data=msgspec.Raw(_encoder.encode(event.data)),
        )
    )


def sent_late(body: bytes) -> bytes:
    """The envelope `body` marked `historical`: it is sent late."""
    return _encoder.encode(msgspec.structs.replace(_decoder.decode(body), historical=True))


def expired(body: bytes) -> bytes:
    """An alert's envelope whose `page_until` had passed before it was sent: historical, and ended as expired, so that nobody is paged.

    What had ended anyway keeps its own reason.
    """
    event = _decoder.decode(body)
    alert = _alerts.decode(event.data)
    if alert.state is not AlertState.END:
        alert = msgspec.structs.replace(alert, state=AlertState.END, end_reason=AlertEnd.EXPIRED)
    return _encoder.encode(msgspec.structs.replace(event, historical=True, data=msgspec.Raw(_encoder.encode(alert))))


def lifetime_s(event: Event) -> float | None:
    """For how many seconds after it happened somebody should still be paged; None for what is not an alert."""
    if not isinstance(event.data, Alert):
        return None
    return (datetime.fromisoformat(event.data.page_until) - datetime.fromisoformat(event.time)).total_seconds()
