"""When to connect again, and what it means that connections end as soon as they are made."""

import random
from dataclasses import dataclass

from edge.errors import BusError, Problem
from edge.mqtt.incoming import Lost
from edge.mqtt.limits import UnansweredError, UnfitBrokerError
from edge.mqtt.reasons import TAKEN_OVER, TOO_LARGE, TWO_BOXES

# Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): uniform from 0 to min(30 s, 0.5 s * 2^n), so that a
# thousand boxes do not come back in one second. After a connection that worked until its end it starts anew at 0.5 s.
_FIRST_S, _MOST_S = 0.5, 30.0
# Where only a person can help: a broker that is not fit for boxes, or one that ends every connection. At least half of it, so that two
# boxes that throw each other out part.
_LONG_FIRST_S, _LONG_MOST_S = 60.0, 600.0
# A broker that was fit and is not may be half started, or one of several behind a name: believed after so many tries, some minutes.
_UNFIT_IN_A_ROW = 16
# Two boxes of one name end each other's connections within a second (mosquitto), or within 10 to 20 s (NATS, which lets one that flaps
# wait for 10 s). A bad line, or a broker that starts anew, cannot be reached in between.
_SHORT_S, _IN_A_ROW = 30.0, 5
# The one of the two that has not begun to wait keeps its connections for as long as the other one waits: it is to find out, too.
_BRIEF_S = 120.0
# One message, three times the last word: it will be so a fourth time.
_DEADLY = 3
# Longer than another box of our name waits: if it were there, it would have come.
STEADY_S = _LONG_MOST_S + 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """The largest message that was on its way when a connection ended, larger than all that the broker took on it."""

    topic: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a connection ended: after how long, by what the broker or the network did (None: by us).

    `took_something`, `refused_something`: what the broker did with messages on it. `overdue`: it had stopped answering before the end.
    """

    lasted_s: float
    lost: Lost | None
    took_something: bool
    refused_something: bool
    overdue: bool
    unanswered: Unanswered | None

    @property
    def worked(self) -> bool:
        """Whether it did until the end. A broker that is not ready ends connections too, and has not answered on them."""
        return _code(self.lost) == TAKEN_OVER or (self.took_something and not self.overdue)


def _code(lost: Lost | None) -> int | None:
    return None if lost is None or lost.reason is None else lost.reason.code


class Reconnects:
    """Keeps count over connections. For one thread; `suspicion` is for any.

    `suspicion`: who ends our connections. `deadly`: the message at which the broker ended the last ones.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.suspicion: Problem | None = None
        self.deadly: Unanswered | None = None
        self._tries, self._long_tries = 0, 0
        # How many short, and how many brief connections that worked there were in a row; whether we wait for long.
        self._row, self._briefs, self._parting = 0, 0, False
        # At which message the last ones ended, and how many; whether the broker was fit, and how often it has not been since.
        self._last: str | None = None
        self._same = 0
        self._was_fit, self._unfit = False, 0

    def failed(self, error: BusError) -> float:
        """There was no connection, because of `error`. Returns for how many seconds to wait."""
        # NATS gives one that flaps no answer: that ends no row.
        if not isinstance(error, UnansweredError):
            self._row = self._briefs = self._same = 0
        if isinstance(error, UnfitBrokerError):
            self._unfit += 1
            if not self._was_fit or self._unfit > _UNFIT_IN_A_ROW:
                return self._long()
        self._tries += 1
        return self._quick()

    def ended(self, end: End) -> float:
        """A connection is over. Returns for how many seconds to wait."""
        self._was_fit, self._unfit = True, 0
        self._tries = 0 if end.worked else self._tries + 1
        self.deadly = self._deadly(end)
        if self.deadly is not None:
            self._row = self._briefs = 0
            return self._quick()
        self._count(end)
        self._parting = self._parting or self._row >= _IN_A_ROW
        return self._long() if self._parting and end.lost is not None and end.worked else self._quick()

    def settled(self, lasted_s: float) -> bool:
        """Whether a connection that is up has lasted for so long that nobody ends it; then nobody is suspected."""
        if lasted_s < STEADY_S:
            return False
        self.suspicion, self._long_tries, self._row, self._briefs, self._parting = None, 0, 0, 0, False
        return True

    def _count(self, end: End) -> None:
        # mosquitto 2.0.11 may cut the connection on which it refused something: that is told as what it is.
        if end.lost is None or end.refused_something:
            self._row = self._briefs = 0
        elif end.worked:
            self._row = self._row + 1 if end.lasted_s < _SHORT_S else 0
            self._briefs = self._briefs + 1 if end.lasted_s < _BRIEF_S else 0
            if self._briefs >= _IN_A_ROW:
                self._suspect(end.lost)

    def _deadly(self, end: End) -> Unanswered | None:
        """The message at which the broker ends connections: it says so, or nothing, and ended three at the same one."""
        told = _code(end.lost)
        if told == TOO_LARGE:
            return end.unanswered
        # A broker that gives another reason means that.
        counts = end.lost is not None and told is None and not (end.refused_something or end.overdue) and end.lasted_s < _SHORT_S
        topic = end.unanswered.topic if counts and end.unanswered is not None else None
        self._same = 0 if topic is None else self._same + 1 if topic == self._last else 1
        self._last = topic
        return end.unanswered if self._same >= _DEADLY else None

    def _suspect(self, lost: Lost) -> None:
        if lost.reason is None:
            what = (
                f"the last {_IN_A_ROW} connections were ended soon after they were made, as if another box had this one's site and device"
            )
            remedy = "give each box a site and device of its own; if each has, see the broker's log"
        elif lost.reason.code == TAKEN_OVER:
            what, remedy = "another box has this one's site and device: they end each other's connections", TWO_BOXES
        else:
            return
        self.suspicion = Problem(what=what, where=self._url, remedy=remedy)

    def _quick(self) -> float:
        return random.uniform(0, min(_MOST_S, _FIRST_S * 2 ** min(self._tries, 10)))  # noqa: S311 (jitter)

    def _long(self) -> float:
        most = min(_LONG_MOST_S, _LONG_FIRST_S * 2 ** min(self._long_tries, 10))
        self._long_tries += 1
        return random.uniform(most / 2, most)  # noqa: S311 (jitter)
