"""A model on probation answers, and what it was asked is handed on, so that the model before it can answer too, in its own time."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from edge.values import Absence, Absent, ModelKind, Verdict, VoiceReading, WordsReading

Judged = VoiceReading | WordsReading | Verdict
_Question = TypeVar("_Question")
_Reading = TypeVar("_Reading", VoiceReading, WordsReading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What two models of a kind are compared by."""

    p_negative: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAnswer:
    """The model on probation answered a question of its kind (None: it abstained), in so many seconds of processor time."""

    kind: ModelKind
    candidate: str
    question: object = field(repr=False)
    answer: Answer | None
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFailed:
    """It could not answer."""

    kind: ModelKind
    candidate: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCallOver:
    """A call that it judged has ended."""

    kind: ModelKind
    candidate: str


TrialEvent = TrialAnswer | TrialFailed | TrialCallOver


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the models of a call need of a probation. `report` never waits; called by the lines' threads.

    `quotes_words`: the model's exceptions may say what was said in the call, and so are told by their place alone.
    """

    kind: ModelKind
    candidate: str
    quotes_words: bool
    report: Callable[[TrialEvent], None]

    def ask(self, judge: Callable[[_Question], _Reading | Absent], question: _Question) -> _Reading | Absent:
        """The model's answer; absent (failed) where it has none, which ends its probation."""
        began = time.thread_time()
        try:
            judged = judge(question)
        except Exception as error:  # noqa: BLE001 (whatever a model on probation breaks with is its verdict, told on the bus)
            return self._fail(f"failed: {_described(error, quotes_words=self.quotes_words)}")
        if not isinstance(judged, Absent) and not _is_number(judged):
            return self._fail("failed: its answer is no number")
        self.answered(question, judged, time.thread_time() - began)
        return judged

    def answered(self, question: object, judged: Judged | Absent, took_s: float) -> None:
        """It has answered."""
        self.report(TrialAnswer(kind=self.kind, candidate=self.candidate, question=question, answer=answer_of(judged), took_s=took_s))

    def call_over(self) -> None:
        """A call that was bound to this model has ended."""
        self.report(TrialCallOver(kind=self.kind, candidate=self.candidate))

    def _fail(self, reason: str) -> Absent:
        self.report(TrialFailed(kind=self.kind, candidate=self.candidate, reason=reason))
        return Absent(reason=Absence.FAILED)


def _described(error: Exception, *, quotes_words: bool) -> str:
    """`error` for bus and log, by its place alone where its message may say words of a call."""
    if not quotes_words:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} ({Path(place.filename).name}, line {place.lineno})"


def answer_of(judged: Judged | Absent) -> Answer | None:
    """What is compared of a judgement; None where it abstains."""
    if isinstance(judged, Absent) or judged.p_negative is None:
        return None
    return Answer(p_negative=judged.p_negative, label=str(judged.label))


def _is_number(reading: VoiceReading | WordsReading) -> bool:
    evidence = (reading.evidence.negative, reading.evidence.positive, reading.evidence.quality)
    return all(math.isfinite(x) for x in (reading.p_negative, reading.p_neutral, reading.p_positive, *evidence))
