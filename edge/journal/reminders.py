"""What is still wrong is said again now and then: a line of the log may be lost, rotated away, or read by nobody."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

# After 1, 2, 4 ... minutes and then each hour: 7 lines in the first hour, 24 a day, however often the trouble comes and goes.
_FIRST_S, _MOST_S = 60.0, 3600.0
# Kinds of trouble at a time; of more, the one that was asked for longest ago is taken for a new one when it comes again.
_KINDS = 200


class Reminders:
    """Says when to tell of each thing that is wrong: at once, then ever more seldom. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Of each: when to say it next, and how long to wait after that.
        self._next: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def due(self, what: Hashable) -> bool:
        """Whether to say now that `what` is wrong; whoever is told so says it."""
        now, (at, wait_s) = self._clock(), self._next.pop(what, (float("-inf"), _FIRST_S))
        due = now >= at
        self._next[what] = (now + wait_s, min(_MOST_S, 2 * wait_s)) if due else (at, wait_s)
        if len(self._next) > _KINDS:
            self._next.popitem(last=False)
        return due

    def over(self, what: Hashable) -> bool:
        """`what` is well again: the next time it is news. Returns whether it was told of at all."""
        return self._next.pop(what, None) is not None

    def all_over(self) -> None:
        """Everything is."""
        self._next.clear()
