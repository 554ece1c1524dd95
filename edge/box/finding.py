"""What one check of the doctor found."""

from dataclasses import dataclass
from enum import StrEnum


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


def failed_saying(said: str, remedy: str) -> Finding:
    """It does not work. `said`: "what is wrong; what to do"; `remedy` is for a program's last words, which have none in them."""
    what, _, own = said.partition("; ")
    return failed(what, own or remedy)


def skipped(why: str) -> Finding:
    """There is nothing to check."""
    return Finding(outcome=Outcome.SKIPPED, says=why)
