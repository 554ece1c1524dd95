"""Events that announce what was lost."""

from edge.clock import now
from edge.wire.codes import GapReason
from edge.wire.device import Gap
from edge.wire.events import Event
from edge.wire.topics import GAP


def gap(topic: str, first: int, last: int, reason: GapReason) -> Event:
    """Sequences `first`..`last` of `topic` will never come; where that is uncertain, nobody knows how many are lost."""
    lost = None if reason is GapReason.UNCERTAIN else last - first + 1
    data = Gap(topic=topic, first=first, last=last, lost=lost, reason=reason)
    return Event(id=f"gap:{topic}:{first}-{last}", topic=GAP, time=now(), data=data)


def unknown_gap(topic: str, boot: int, reason: GapReason) -> Event:
    """What was stored for `topic` is lost, and nobody knows how much it was."""
    data = Gap(topic=topic, first=None, last=None, lost=None, reason=reason)
    return Event(id=f"gap:{topic}:boot-{boot}", topic=GAP, time=now(), data=data)
