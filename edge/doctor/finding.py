"""What one check of the doctor found, and what it took."""

import os
import time
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Problem


class Outcome(StrEnum):
    """GOOD; LOOK: works, but somebody should look at it; FAILED: does not work; SKIPPED: nothing there to check, and why."""

    GOOD = "good"
    LOOK = "look"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's table. `says` is a fact with its figures, `remedy` what to do (None where nothing is)."""

    outcome: Outcome
    says: str
    remedy: str | None = None


def good(says: str) -> Finding:
    """It works."""
    return Finding(outcome=Outcome.GOOD, says=says)


def look(says: str, remedy: str) -> Finding:
    """It works; somebody should look at it."""
    return Finding(outcome=Outcome.LOOK, says=says, remedy=remedy)


def failed(says: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(outcome=Outcome.FAILED, says=says, remedy=remedy)


def failed_by(problem: Problem, remedy: str | None = None) -> Finding:
    """It does not work, because of `problem`; `remedy` is for one that has none, as a program's last words have not."""
    return Finding(outcome=Outcome.FAILED, says=problem.fault, remedy=problem.remedy or remedy)


def skipped(why: str) -> Finding:
    """There is nothing to check."""
    return Finding(outcome=Outcome.SKIPPED, says=why)


class Stopwatch:
    """What a piece of work takes: the time that goes by, and this process's share of it on the processors."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()

    @property
    def took_s(self) -> float:
        """Seconds that have gone by."""
        return time.monotonic() - self._began

    def slow(self, otherwise: str) -> str:
        """What to do about work that took too long: end what held it up, where it was that it waited; else `otherwise`."""
        if time.process_time() - self._cpu > self.took_s / 2:
            return f"this box is slow: use a faster one, or {otherwise}"
        return f"other programs keep this box busy ({load()}): end those that are not Undertone's, and look again"


def load() -> str:
    """How many programs want to run, and how many can."""
    return f"load {os.getloadavg()[0]:.1f}, cores: {len(os.sched_getaffinity(0))}"
