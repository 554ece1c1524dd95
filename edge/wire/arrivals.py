"""What arrives from the bus, checked against the wire types before anybody looks at it."""

from typing import Any

import msgspec

from edge.wire.cloudevents import CloudEvent, type_name
from edge.wire.events import EVENTS

# The largest event (an alert with all its evidence and quotes) is under 20 kB; what is far beyond is none of ours.
_MAX_BYTES = 1_000_000

_envelopes = msgspec.json.Decoder(CloudEvent)
_types = {type_name(event): msgspec.json.Decoder(event) for event in EVENTS}


def decode(payload: bytes) -> dict[str, Any] | str:
    """The CloudEvent in `payload` as plain values, or in one line why it is none. An unknown type passes, unchecked."""
    if len(payload) > _MAX_BYTES:
        return f"not an Undertone event: {len(payload)} bytes"
    try:
        event = _envelopes.decode(payload)
        if event.type in _types:
            _types[event.type].decode(event.data)
        decoded: dict[str, Any] = msgspec.json.decode(payload)
    except (ValueError, RecursionError) as error:
        return f"not an Undertone event: {error}"
    return decoded
