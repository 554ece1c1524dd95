"""How the box is: online, or degraded and why. Everything that is wrong is one sentence with its remedy."""

import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from edge.box.clock import now
from edge.bus.device import SelfTest, State
from edge.bus.store import Counts

_GOOD_STATES = ("up", "starting", "ended")
# Events that had to go stay told for so long; the gaps themselves are in the outbox.
_TOLD_S = 600.0


class Hearing(Protocol):
    """A line, as far as what is wrong with it goes."""

    @property
    def reason(self) -> str | None:
        """Why its source is stalled or absent."""

    @property
    def wrong(self) -> list[str]:
        """What else is wrong with it."""


class Condition:
    """The box's parts and what they say. `selftest` may be set from any thread; the rest belongs to one."""

    def __init__(self, lines: Mapping[str, Hearing], *, boot: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.selftest: SelfTest | None = None
        self.states = dict.fromkeys(lines, "starting")
        self._lines, self._boot, self._clock = lines, boot, clock
        self._evicted, self._evicted_at = 0, float("-inf")
        # For the bus and for who stands before the box.
        self._last: dict[bool, State] = {}

    def state(self, *, missing: Mapping[str, str], counts: Counts, bus_problem: str | None, for_bus: bool) -> State:
        """The state as it is now; `since` is when it became so.

        `for_bus`: a state of its own, because that nobody can be told is told only on the box.
        """
        reasons = [*self._of_lines(), *missing.values(), *self._of_selftest(), *self._of_outbox(counts)]
        if bus_problem is not None:
            reasons.append(f"broker: {bus_problem}")
        return self._since("degraded" if reasons else "online", reasons, for_bus=for_bus)

    def stopped(self) -> State:
        """The state of a box that was stopped on purpose."""
        return self._since("stopped", [], for_bus=True)

    def _since(self, state: Literal["online", "degraded", "stopped"], reasons: list[str], *, for_bus: bool) -> State:
        last, lines = self._last.get(for_bus), dict(self.states)
        since = last.since if last is not None and (last.state, last.reasons, last.lines) == (state, reasons, lines) else now()
        self._last[for_bus] = State(state=state, boot=self._boot, since=since, reasons=reasons, lines=lines)
        return self._last[for_bus]

    def _of_lines(self) -> list[str]:
        told = []
        for name, line in self._lines.items():
            how, reason = self.states[name], line.reason
            if how not in _GOOD_STATES:
                told.append(f"{name}: {how}" + (f": {reason}" if reason else ""))
            else:
                told += [f"{name}: {what}" for what in line.wrong]
        return told

    def _of_selftest(self) -> list[str]:
        checks = {} if self.selftest is None else self.selftest.checks
        return [f"self-test: {name}: {found}" for name, found in checks.items() if found.startswith("failed")]

    def _of_outbox(self, counts: Counts) -> list[str]:
        if counts.evicted > self._evicted:
            self._evicted, self._evicted_at = counts.evicted, self._clock()
        told = []
        if counts.held:
            told.append("outbox: the disk takes no events, they wait in memory; free space in state_dir, or replace the disk")
        if self._clock() - self._evicted_at < _TOLD_S:
            told.append("outbox: full, the oldest events had to go (gap); bring the broker back, or raise outbox_max_mb")
        return told
