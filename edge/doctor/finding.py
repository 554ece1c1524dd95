"""What one check of the doctor found."""

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
