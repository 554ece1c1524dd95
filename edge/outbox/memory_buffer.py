"""Events that the disk does not take now: kept in memory, bounded; what had to go is counted per topic."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from edge.wire.events import Event, Failed, Started, Summary

# Enough for an hour of one busy line, and a few MB at most.
BUFFERED_EVENTS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An event, and when it was handed over: seconds of machine uptime and of the wall clock."""

    event: Event
    uptime: float
    wall: float


class MemoryBuffer:
    """Waiting events in order. `dropped` counts those that went, by topic and whether it is the alerts'. Not thread-safe."""

    def __init__(self, limit: int = BUFFERED_EVENTS) -> None:
        self.dropped: Counter[tuple[str, bool]] = Counter()
        self._limit = limit
        self._waiting: deque[Arrived] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Arrived]:
        return iter(self._waiting)

    def __reversed__(self) -> Iterator[Arrived]:
        return reversed(self._waiting)

    def add(self, arrived: Iterable[Arrived]) -> None:
        """Queue up."""
        self._waiting.extend(arrived)

    def give_up(self, calls: Collection[str]) -> None:
        """Drop what is about `calls`."""
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if getattr(one.event.data, "call", None) in calls:
                self.dropped[one.event.topic, one.event.alert_lane] += 1
            else:
                self._waiting.append(one)

    def keep_to_limit(self) -> None:
        """Drop the oldest until the limit is kept: what call goes on hearing first, its start and end next, alerts last."""
        while len(self._waiting) > self._limit:
            number = self._least()
            event = self._waiting[number].event
            del self._waiting[number]
            self.dropped[event.topic, event.alert_lane] += 1

    def written(self) -> None:
        """Everything, drops included, is on disk now."""
        self._waiting.clear()
        self.dropped.clear()

    def _least(self) -> int:
        rest = [number for number, arrived in enumerate(self._waiting) if not arrived.event.alert_lane]
        inner = (number for number in rest if not isinstance(self._waiting[number].event.data, Started | Summary | Failed))
        return next(inner, rest[0] if rest else 0)
