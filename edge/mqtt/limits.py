"""What a broker takes, as its CONNACK says; and what a box cannot do without."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from edge.errors import BusError, Problem

# mosquitto's own default for what it takes unacknowledged. It bounds how many topics have an event on its way at a time.
WINDOW = 20
# The largest event of a call, and the largest message of all, the list of a hundred open alerts: docs/bus.md asks a broker for the latter.
EVENT_BYTES, PACKET_BYTES = 20_000, 256 * 1024
MORE_ROOM = "let the broker take packets of 256 KiB (docs/bus.md: mosquitto max_packet_size and message_size_limit, NATS max_payload)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What CONNACK says (MQTT 5, 3.2.2.3); with 3.1.1, and where it says nothing, what the standard takes for granted.

    window: how many messages may be unacknowledged. packet_bytes: the largest packet (None: any). qos: the highest. retain: whether it
    keeps retained messages. wildcards: whether one may subscribe to `...#`.
    session_s: for how long it keeps what is sent to us while we are away (None: as we asked).
    """

    window: int = WINDOW
    packet_bytes: int | None = None
    qos: int = 2
    retain: bool = True
    wildcards: bool = True
    session_s: int | None = None

    @classmethod
    def announced(cls, properties: Mapping[str, Any]) -> Self:
        """What the properties of a CONNACK say, by the names that paho gives them."""
        return cls(
            window=min(properties.get("ReceiveMaximum", WINDOW), WINDOW),
            packet_bytes=properties.get("MaximumPacketSize"),
            qos=properties.get("MaximumQoS", 2),
            retain=bool(properties.get("RetainAvailable", 1)),
            wildcards=bool(properties.get("WildcardSubscriptionAvailable", 1)),
            session_s=properties.get("SessionExpiryInterval"),
        )

    def __str__(self) -> str:
        """What it takes, in one line."""
        packets = "packets of any size" if self.packet_bytes is None else f"packets of at most {self.packet_bytes:,} bytes"
        kept = "" if self.session_s is None else f", keeps sessions for {self.session_s} s"
        return f"takes {packets}, {self.window} unacknowledged, QoS {min(self.qos, 1)}, retained messages, wildcards{kept}"

    @property
    def lacking(self) -> Problem | None:
        """Why no box can work with this broker; None where one can."""
        if self.qos < 1:
            return Problem(what="it takes QoS 0 alone, and nothing may be lost", remedy=f"let it take QoS 1 (maximum QoS), {_OR_ANOTHER}")
        if not self.retain:
            what = "it keeps no retained messages, so nobody could know how this box is"
            return Problem(what=what, remedy=f"let it keep them (retain available), {_OR_ANOTHER}")
        if not self.wildcards:
            what = "it takes no subscription with a wildcard, so no command could reach this box"
            return Problem(what=what, remedy=f"let it take them (wildcard subscription available), {_OR_ANOTHER}")
        return None


_OR_ANOTHER = "or name another broker in mqtt.url (docs/bus.md says what one must offer)"


class UnfitBrokerError(BusError):
    """The broker was reached, and cannot do what a box needs: only who runs it can change that."""


class UnansweredError(BusError):
    """The broker was reached, and closed the connection without a word."""


class PacketTooLargeError(BusError):
    """A message is larger than the broker takes; nothing was sent."""

    def __init__(self, topic: str, size: int, most: int) -> None:
        super().__init__(f"{size:,} bytes, and the broker takes packets of at most {most:,}", where=topic, remedy=MORE_ROOM)
        self.size = size
