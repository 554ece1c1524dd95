"""How the box is: online, or degraded and why. What is wrong is told with its remedy."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from edge.clock import now
from edge.errors import Problem
from edge.journal.reminders import Reminders
from edge.outbox.counts import Counts
from edge.values import SourceState
from edge.wire.codes import BoxState, CheckOutcome
from edge.wire.device import SelfTest, State

_log = logging.getLogger("undertone.state")

_GOOD_STATES = (SourceState.UP, SourceState.LISTENING, SourceState.STARTING, SourceState.ENDED)
# Events that had to go stay shown for so long; the gaps themselves are in the outbox.
_REPORTED_S = 600.0
# Where the bus's own problems are told to be; the publisher logs them itself (bus.trouble).
_BROKER = "broker"


class LineState(Protocol):
    """A line, as far as what is wrong with it goes."""

    @property
    def problem(self) -> Problem | None:
        """Why its source is stalled or absent."""

    @property
    def wrong(self) -> Sequence[Problem]:
        """What else is wrong with it."""


class DeviceState:
    """The box's parts and what they say. `take_selftest` is for any thread; the rest belongs to one."""

    def __init__(self, lines: Mapping[str, LineState], *, boot: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.selftest: SelfTest | None = None
        self.tested_at: str | None = None
        self.states = dict.fromkeys(lines, SourceState.STARTING)
        self._lines, self._boot, self._clock = lines, boot, clock
        self._evicted, self._evicted_at = 0, float("-inf")
        # For the bus and for who stands before the box.
        self._last: dict[bool, State] = {}
        self._reminders = Reminders(clock)

    def take_selftest(self, found: SelfTest) -> None:
        """What a self-test has just found."""
        self.tested_at, self.selftest = now(), found

    def problems(self, *, missing: Iterable[Problem], counts: Counts, bus: Sequence[Problem]) -> list[Problem]:
        """Everything that is wrong with the box now."""
        return [*self._of_lines(), *missing, *self._of_selftest(), *self._of_outbox(counts), *(one.within(_BROKER) for one in bus)]

    def state(self, problems: Sequence[Problem], *, for_bus: bool) -> State:
        """The state that `problems` make; `since` is when it became so.

        `for_bus`: a state of its own, because that nothing can be published shows only on the box.
        """
        if for_bus:
            last = self._last.get(for_bus)
            self._log([str(one) for one in problems if one.where != _BROKER], [] if last is None else last.reasons)
        return self._since(BoxState.DEGRADED if problems else BoxState.ONLINE, [str(one) for one in problems], for_bus=for_bus)

    def stopped(self) -> State:
        """The state of a box that was stopped on purpose."""
        return self._since(BoxState.STOPPED, [], for_bus=True)

    def _since(self, state: BoxState, reasons: list[str], *, for_bus: bool) -> State:
        last, lines = self._last.get(for_bus), dict(self.states)
        since = last.since if last is not None and (last.state, last.reasons, last.lines) == (state, reasons, lines) else now()
        self._last[for_bus] = State(state=state, boot=self._boot, since=since, reasons=reasons, lines=lines)
        return self._last[for_bus]

    def _log(self, reasons: list[str], before: list[str]) -> None:
        """What the bus is told reaches the journal, too: silence, hum and late verdicts are nobody else's to log."""
        for reason in reasons:
            if self._reminders.due(reason):
                _log.warning("state.degraded reason=%r", reason)
        for reason in before:
            if reason not in reasons and self._reminders.over(reason):
                _log.info("state.mended reason=%r", reason)

    def _of_lines(self) -> Iterator[Problem]:
        for name, line in self._lines.items():
            how, problem = self.states[name], line.problem
            if how in _GOOD_STATES:
                yield from (one.within(name) for one in line.wrong)
            else:
                yield Problem(what=how, where=name) if problem is None else problem.within(f"{name}: {how}")

    def _of_selftest(self) -> Iterator[Problem]:
        for name, check in ({} if self.selftest is None else self.selftest.checks).items():
            if check.outcome is CheckOutcome.FAILED:
                yield Problem(what=check.says or "", where=f"self-test: {name}: {check.outcome}", remedy=check.remedy)

    def _of_outbox(self, counts: Counts) -> Iterator[Problem]:
        if counts.evicted > self._evicted:
            self._evicted, self._evicted_at = counts.evicted, self._clock()
        if counts.held:
            what = "the disk takes no events, they wait in memory"
            yield Problem(what=what, where="outbox", remedy="free space in state_dir, or replace the disk")
        if self._clock() - self._evicted_at < _REPORTED_S:
            what = "full, the oldest events had to go (gap)"
            yield Problem(what=what, where="outbox", remedy="bring the broker back, or raise outbox_max_mb")
