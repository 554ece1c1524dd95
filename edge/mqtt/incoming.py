"""What a connection to a broker hears: these are put on its queue, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.mqtt.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a broker says of itself. `code` as in MQTT 5, 2.4, of 3.1.1 the one that means the same; `more` are words of its own."""

    code: int
    name: str
    more: str | None = None

    def __str__(self) -> str:
        """The standard's name of it, and the broker's own words."""
        return self.name if self.more is None else f"{self.name}: {self.more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """CONNACK: `refusal` None, or why not."""

    refusal: Reason | None
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """PUBACK for message `mid`: `refusal` None, or why the broker did not take it."""

    mid: int
    refusal: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """SUBACK: `refusal` None, or why not."""

    refusal: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something was published on a topic that we subscribe to. `done` acknowledges it, where the link leaves that to its user.

    `response_topic` and `correlation` are MQTT 5's; None without. `number` is its packet identifier, `again` says that it
    may have come before.
    """

    topic: str
    payload: bytes
    retained: bool
    response_topic: str | None = None
    correlation: bytes | None = None
    number: int = 0
    again: bool = False
    done: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection is over. `reason`: what the broker said; None where it, or the network, said nothing, and `fault` is what was seen."""

    reason: Reason | None
    fault: str = "closed without a reason"

    def __str__(self) -> str:
        """Why, in some words."""
        return self.fault if self.reason is None else str(self.reason)


WORDLESS = Lost(reason=None)


@dataclass(frozen=True, slots=True)
class WakeUp:
    """Somebody has something for the thread that reads the queue."""


LinkEvent = Connected | Acknowledged | Subscribed | Message | Lost | WakeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says, retained, when this connection ends without a goodbye."""

    topic: str
    body: bytes
