"""How the box ends what a crash left open, and how it announces what it lost: events made from what was stored."""

import msgspec

from edge.box.clock import now
from edge.bus.events import Alert, Event, Failed, Gap
from edge.bus.topics import GAP


def alert_after_crash(snapshot: bytes, topic: str) -> Event:
    """The end of the alert whose last snapshot (JSON) was told on `topic`."""
    last = msgspec.json.decode(snapshot, type=Alert)
    moment = now()
    ended = msgspec.structs.replace(last, revision=last.revision + 1, state="end", end_reason="restart", updated_at=moment)
    return Event(id=f"{last.alert}:{ended.revision}", topic=topic, time=moment, data=ended, alert_lane=True)


def call_after_crash(call: str, line: str, started_at: str) -> Event:
    """The end of a call that nobody heard to its end."""
    data = Failed(call=call, line=line, started_at=started_at, reason="restart")
    return Event(id=f"{call}:failed:0", topic=f"call/{line}/failed", time=now(), data=data)


def gap(topic: str, first: int, last: int, reason: str) -> Event:
    """Sequences `first`..`last` of `topic` will never come."""
    data = Gap(topic=topic, first=first, last=last, lost=last - first + 1, reason=reason)
    return Event(id=f"gap:{topic}:{first}-{last}", topic=GAP, time=now(), data=data)


def unknown_gap(topic: str, boot: int, reason: str) -> Event:
    """What was stored for `topic` is lost, and nobody knows how much it was."""
    data = Gap(topic=topic, first=None, last=None, lost=None, reason=reason)
    return Event(id=f"gap:{topic}:boot-{boot}", topic=GAP, time=now(), data=data)
