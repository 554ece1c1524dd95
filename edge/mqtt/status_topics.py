"""What bypasses the outbox: the box's state, info and health. Only the latest of each counts."""

import random
import threading
import time
from collections.abc import Callable, Collection

from edge.clock import now
from edge.mqtt.incoming import Will
from edge.wire.cloudevents import envelope
from edge.wire.codes import BoxState
from edge.wire.device import State
from edge.wire.events import Event
from edge.wire.parts import Wire
from edge.wire.topics import RETAINED, STATE, Topics

# So long after it connected a box tells once more what is retained. NATS acknowledges what it then fails to keep, as it does while
# boxes come by the hundred (5 s for each), and else nobody would know of such a box until its next connection.
_ONCE_MORE_S = 60.0, 300.0


class StatusTopics:
    """The latest of each, and which of them are due. Thread-safe."""

    def __init__(self, topics: Topics, boot: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._topics, self._boot, self._clock = topics, boot, clock
        self._lock = threading.Lock()
        self._bodies: dict[str, bytes] = {}
        self._due: set[str] = set()
        self._count = 0
        self._last_word = False
        # When this connection is told what is retained for the second time.
        self._once_more_at = float("inf")

    def offer(self, topic: str, data: Wire) -> None:
        """`data` is what to tell on `topic` from now on. A state `stopped` waits until everything else has been told."""
        with self._lock:
            self._count += 1
            self._bodies[topic] = self._envelope(topic, data, str(self._count))
            self._due.add(topic)
            self._last_word = self._last_word or (isinstance(data, State) and data.state is BoxState.STOPPED)

    def offer_whole(self, topic: str, body: bytes) -> None:
        """`body`, which is no event, is what to tell on `topic` from now on."""
        with self._lock:
            self._bodies[topic] = body
            self._due.add(topic)

    def connected(self) -> None:
        """What is retained is told with every connection: the broker may have lost it, or told our will."""
        with self._lock:
            self._due |= RETAINED & self._bodies.keys()
            self._once_more_at = self._clock() + random.uniform(*_ONCE_MORE_S)  # noqa: S311 (jitter)

    def take(self, most: int, *, without: Collection[str] = (), last: bool = False) -> list[tuple[str, bytes]]:
        """Up to `most` of what is due, state first, as topic and body; what is on a topic in `without` stays due.

        The last word only where `last`, and then nothing else.
        """
        with self._lock:
            if self._clock() >= self._once_more_at:
                self._due |= RETAINED & self._bodies.keys()
                self._once_more_at = float("inf")
            if last:
                self._due &= {STATE}
            held_back = {*without, *({STATE} if self._last_word and not last else ())}
            topics = sorted(self._due - held_back, key=lambda topic: topic != STATE)[: max(0, most)]
            self._due -= set(topics)
            return [(topic, self._bodies[topic]) for topic in topics]

    def due(self, topic: str) -> bool:
        """Whether there is something to tell on `topic`."""
        with self._lock:
            return topic in self._due

    def again(self, topic: str) -> None:
        """What was taken of `topic` was not told: it is due."""
        with self._lock:
            self._due.add(topic)

    def will(self) -> Will:
        """What the broker shall say when the connection ends without a goodbye. Its `boot` keeps it from masking a newer start."""
        state = State(state=BoxState.LOST, boot=self._boot, since=None, reasons=["connection lost without a goodbye"], lines={})
        return Will(topic=self._topics.full(STATE), body=self._envelope(STATE, state, "will"))

    def _envelope(self, topic: str, data: Wire, number: str) -> bytes:
        site, device = self._topics.site, self._topics.device
        event = Event(id=f"{site}/{device}:{topic}:{self._boot}:{number}", topic=topic, time=now(), data=data)
        return envelope(event, site=site, device=device, sequence=None)
