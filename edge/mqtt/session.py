"""What is unanswered on one connection to the broker, and what a row looks like when it is sent now."""

import time
from collections import deque

from edge.errors import Problem
from edge.mqtt.incoming import WORDLESS, Lost, Reason
from edge.mqtt.link import Link
from edge.mqtt.reconnects import End, Unanswered
from edge.outbox.rows import Row
from edge.wire import cloudevents as envelopes
from edge.wire.topics import STATE

# Somebody who watches live has lost interest in what is older. Longer than the longest utterance and its judging, and than a
# quick reconnect.
HISTORICAL_S = 60.0
# A broker on a bad mobile line acknowledges within this. NATS ends a connection 5 s after it got no answer of its own.
_PROMPT_S = 2.0


class Session:
    """What is unanswered on one connection."""

    def __init__(self, link: Link) -> None:
        self.link = link
        # Why it is over: what to tell of it; and what was heard, None where we gave it up.
        self.lost: Problem | None = None
        self.heard_end: Lost | None = None
        self._began = time.monotonic()
        self._over_at: float | None = None
        # The largest message that the broker took; 0: nothing yet.
        self._taken_bytes = 0
        self._refused_something = False
        # What was sent, when, and how large it was.
        self._sent: dict[int, tuple[Row | str, float, int]] = {}
        # Oldest first; answered ones are skipped when they come up.
        self._order: deque[tuple[int, float]] = deque()

    @property
    def room(self) -> int:
        """How many more may be sent now."""
        return self.link.limits.window - len(self._sent)

    @property
    def rows_unanswered(self) -> bool:
        """Whether a PUBACK for a row of the outbox is still to come."""
        return any(isinstance(what, Row) for what, *_ in self._sent.values())

    @property
    def state_unanswered(self) -> bool:
        """Whether a PUBACK for the state is still to come."""
        return any(what == STATE for what, *_ in self._sent.values())

    def publish(self, topic: str, body: bytes, what: Row | str, *, retain: bool = False, correlation: bytes | None = None) -> None:
        """Send `what` (a row, or the name of what bypasses the outbox). Raises PacketTooLargeError where the broker would not take it."""
        mid = self.link.publish(topic, body, retain=retain, correlation=correlation)
        if mid is None:
            if self.lost is None:
                self.over(WORDLESS, Problem(what="connection lost"))
            return
        now = time.monotonic()
        self._sent[mid] = what, now, len(body)
        self._order.append((mid, now))

    def over(self, end: Lost, problem: Problem) -> None:
        """The broker or the network has ended it; of two ends the latter says why."""
        self._over_at = self._over_at or time.monotonic()
        self.heard_end, self.lost = end, problem

    @property
    def lasted_s(self) -> float:
        """Since the broker said yes."""
        return (self._over_at or time.monotonic()) - self._began

    def end(self) -> End:
        """How it ended, once it has."""
        sent = [(size, what.topic if isinstance(what, Row) else what) for what, _, size in self._sent.values()]
        size, topic = max(sent, default=(0, ""))
        silent = self.heard_end is not None and self.heard_end.reason is None and self.heard_end != WORDLESS
        waited_s = (self._over_at or time.monotonic()) - min((since for _, since, _ in self._sent.values()), default=float("inf"))
        unanswered = Unanswered(topic=topic, size=size) if size > self._taken_bytes else None
        return End(
            lasted_s=self.lasted_s, lost=self.heard_end, took_something=self._taken_bytes > 0,
            refused_something=self._refused_something, overdue=silent or waited_s > _PROMPT_S, unanswered=unanswered,
        )  # fmt: skip

    def answered(self, mid: int, refusal: Reason | None) -> tuple[Row | str, float] | None:
        """What `mid` was, and for how many seconds it was on its way."""
        what, since, size = self._sent.pop(mid, (None, 0.0, 0))
        if refusal is None:
            self._taken_bytes = max(self._taken_bytes, size)
        else:
            self._refused_something = True
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
