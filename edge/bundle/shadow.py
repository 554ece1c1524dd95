"""A model on probation answers, and what it heard is handed on, so that the model before it can hear it too, in its own time."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edge.segment.crosstalk import CustomerUtterance
from edge.values import Absent, VoiceReading


class Reader(Protocol):
    """A voice model. `window_ms`: processor time of its net so far, milliseconds a window, or None."""

    @property
    def window_ms(self) -> float | None:
        """Processor time of the net so far."""

    def read(self, customer: CustomerUtterance) -> VoiceReading | Absent:
        """How the customer spoke, or why nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The model on probation answered `reading`."""

    candidate: str
    customer: CustomerUtterance = field(repr=False)
    reading: VoiceReading | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """It could not answer."""

    candidate: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOver:
    """A call that it judged has ended."""

    candidate: str


Happened = Heard | Broke | CallOver


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the ears of a call need of a probation. `hand_on` never waits; called by the lines' threads."""

    candidate: str
    hand_on: Callable[[Happened], None]

    def read(self, model: Reader, customer: CustomerUtterance) -> VoiceReading | Absent:
        """The model's answer; Absent("failed") where it has none, which ends its probation."""
        try:
            reading = model.read(customer)
        except Exception as error:  # noqa: BLE001 (whatever a model on probation breaks with is its verdict, told on the bus)
            self.hand_on(Broke(candidate=self.candidate, reason=f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"))
            return Absent(reason="failed")
        if isinstance(reading, VoiceReading) and not _is_number(reading):
            self.hand_on(Broke(candidate=self.candidate, reason="failed: its answer is no number"))
            return Absent(reason="failed")
        self.hand_on(Heard(candidate=self.candidate, customer=customer, reading=reading))
        return reading

    def call_over(self) -> None:
        """A call that was bound to this model has ended."""
        self.hand_on(CallOver(candidate=self.candidate))


def _is_number(reading: VoiceReading) -> bool:
    return all(math.isfinite(x) for x in (reading.p_negative, reading.p_neutral, reading.p_positive, *reading.probs.values()))
