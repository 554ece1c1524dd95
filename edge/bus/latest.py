"""What bypasses the outbox: the box's state, info and health. Only the latest of each counts."""

import threading
from collections.abc import Collection

from edge.box.clock import now
from edge.bus.device import State
from edge.bus.envelope import envelope
from edge.bus.events import Event
from edge.bus.mqtt import Will
from edge.bus.parts import Wire
from edge.bus.topics import RETAINED, STATE, Topics


class Latest:
    """The latest of each, and which of them are due. Thread-safe."""

    def __init__(self, topics: Topics, boot: int) -> None:
        self._topics, self._boot = topics, boot
        self._lock = threading.Lock()
        self._bodies: dict[str, bytes] = {}
        self._due: set[str] = set()
        self._count = 0
        self._last_word = False

    def offer(self, topic: str, data: Wire) -> None:
        """`data` is what to tell on `topic` from now on. A state `stopped` waits until everything else has been told."""
        with self._lock:
            self._count += 1
            self._bodies[topic] = self._envelope(topic, data, str(self._count))
            self._due.add(topic)
            self._last_word = self._last_word or (isinstance(data, State) and data.state == "stopped")

    def connected(self) -> None:
        """What is retained is told with every connection: the broker may have lost it, or told our will."""
        with self._lock:
            self._due |= RETAINED & self._bodies.keys()

    def take(self, *, without: Collection[str] = (), last: bool = False) -> list[tuple[str, bytes]]:
        """What is due, state first, as topic and body; what is on a topic in `without` stays due.

        The last word only where `last`, and then nothing else.
        """
        with self._lock:
            if last:
                topics = [STATE] if STATE in self._due else []
                self._due.clear()
            else:
                held_back = {*without, *({STATE} if self._last_word else ())}
                topics = sorted(self._due - held_back, key=lambda topic: topic != STATE)
                self._due &= held_back
            return [(topic, self._bodies[topic]) for topic in topics]

    def will(self) -> Will:
        """What the broker shall say when the connection ends without a goodbye. Its `boot` keeps it from masking a newer start."""
        state = State(state="lost", boot=self._boot, since=None, reasons=["connection lost without a goodbye"], lines={})
        return Will(topic=self._topics.full(STATE), body=self._envelope(STATE, state, "will"))

    def _envelope(self, topic: str, data: Wire, number: str) -> bytes:
        site, device = self._topics.site, self._topics.device
        event = Event(id=f"{site}/{device}:{topic}:{self._boot}:{number}", topic=topic, time=now(), data=data)
        return envelope(event, site=site, device=device, sequence=None)
