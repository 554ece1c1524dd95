"""What is unanswered on one connection to the broker, and what a row looks like when it is sent now."""

import time
from collections import deque

from edge.bus import envelope as envelopes
from edge.bus.mqtt import Link
from edge.bus.rows import Row
from edge.bus.topics import STATE

# Somebody who watches live has lost interest in what is older. Longer than the longest utterance and its judging, and than a
# quick reconnect.
HISTORICAL_S = 60.0


class Session:
    """What is unanswered on one connection."""

    def __init__(self, link: Link, window: int) -> None:
        self.link = link
        self.lost: str | None = None
        self.took_something = False
        self._window = window
        # What was sent, and when.
        self._sent: dict[int, tuple[Row | str, float]] = {}
        # Oldest first; answered ones are skipped when they come up.
        self._order: deque[tuple[int, float]] = deque()

    @property
    def room(self) -> int:
        """How many more may be sent now."""
        return self._window - len(self._sent)

    @property
    def wants_more(self) -> bool:
        """Whether at least half the window is free."""
        return len(self._sent) <= self._window // 2

    @property
    def rows_unanswered(self) -> bool:
        """Whether a PUBACK for a row of the outbox is still to come."""
        return any(isinstance(what, Row) for what, _ in self._sent.values())

    @property
    def state_unanswered(self) -> bool:
        """Whether a PUBACK for the state is still to come."""
        return any(what == STATE for what, _ in self._sent.values())

    def publish(self, topic: str, body: bytes, what: Row | str, *, retain: bool = False) -> None:
        """Send `what` (a row, or the name of what bypasses the outbox)."""
        mid = self.link.publish(topic, body, retain=retain)
        if mid is None:
            self.lost = self.lost or "connection lost"
            return
        now = time.monotonic()
        self._sent[mid] = what, now
        self._order.append((mid, now))

    def answered(self, mid: int, refusal: str | None) -> tuple[Row | str, float] | None:
        """What `mid` was, and for how many seconds it was on its way."""
        self.took_something = self.took_something or refusal is None
        what, since = self._sent.pop(mid, (None, 0.0))
        return None if what is None else (what, time.monotonic() - since)

    def patience(self, ack_s: float) -> float:
        """Seconds until the oldest unanswered message is overdue."""
        while self._order and self._order[0][0] not in self._sent:
            self._order.popleft()
        return self._order[0][1] + ack_s - time.monotonic() if self._order else float("inf")


def body_now(row: Row) -> bytes:
    """What to send of `row` now: as it was; marked historical once it is old; an alert whose time is over does not page anybody."""
    if row.lifetime_s is not None and row.age_s > row.lifetime_s:
        return envelopes.expired(row.body)
    return envelopes.sent_late(row.body) if row.age_s > HISTORICAL_S else row.body
