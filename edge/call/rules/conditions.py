"""What a rule can ask, as YAML says it: one frozen type a condition. What is true of a call is edge.call.rules.findings.

`..._at_least` and `..._at_most` are inclusive. Conditions on utterances share their windows (`Windowed`).
"""

from enum import StrEnum
from functools import cached_property
from typing import Annotated

import msgspec

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Score = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Several = Annotated[int, msgspec.Meta(ge=1, le=100)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
# The last level of an alert's MQTT topic.
Route = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Codes = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Side(StrEnum):
    """Whose: the customer's takes in the one channel of a mixed line."""

    CUSTOMER = "customer"
    AGENT = "agent"


class ScoreOf(StrEnum):
    """A score of the call: of all its utterances, of its end, of its worst window."""

    MEAN = "mean"
    END_WEIGHTED = "end_weighted"
    WORST = "worst"


class Condition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every condition: unknown keys are refused."""


class Windowed(Condition, frozen=True, kw_only=True):
    """Where to look, and how often it must hold.

    role: whose utterances (customer takes in the one channel of a mixed line). Window: `within_s` seconds back,
    `within_utterances` of the role back, `share` [from, to] of the call so far (0..1); none is the whole call so far.
    Holds `times` in the window, or in each of the last `sustained` utterances that could be judged. `min_quality` (0..1)
    leaves out what was badly heard.
    """

    role: Side = Side.CUSTOMER
    within_s: Seconds | None = None
    within_utterances: Several | None = None
    share: tuple[Probability, Probability] | None = None
    times: Several = 1
    sustained: Several | None = None
    min_quality: Probability = 0.0


class Judged(Windowed, frozen=True, kw_only=True):
    """fused, voice, words: the judgement of an utterance is at least this negative, or at most, or at least this polar."""

    p_negative_at_least: Probability | None = None
    polarity_at_most: Score | None = None
    polarity_at_least: Score | None = None


class CauseIs(Windowed, frozen=True, kw_only=True):
    """cause: what an utterance complains of is one of these codes of the taxonomy."""

    any_of: Codes
    p_at_least: Probability = 0.5


class KeywordIs(Windowed, frozen=True, kw_only=True):
    """keyword: one of the configured keywords (by name) was heard."""

    any_of: Codes
    confidence_at_least: Probability = 0.5


class SignalIs(Windowed, frozen=True, kw_only=True):
    """signal: an entry of one of these categories of the service lexicon spoke (repeat, threat, waiting, ...)."""

    any_of: Codes


class Loudness(Windowed, frozen=True, kw_only=True):
    """loudness: decibels above the speaker's own baseline."""

    db_at_least: float


class SpeechRate(Windowed, frozen=True, kw_only=True):
    """speech_rate: words a minute."""

    wpm_at_least: float | None = None
    wpm_at_most: float | None = None


class Interruptions(Condition, frozen=True, kw_only=True):
    """interruptions: `by` broke in on the other so many times."""

    by: Side
    at_least: Several
    within_s: Seconds | None = None


class Silence(Condition, frozen=True, kw_only=True):
    """silence: nobody spoke for so long while the call went on (holds with music or tones are not meant).

    That it went on is known by later speech, by a hang-up tone, or by the switchboard's `end`. Never true where one side is not heard.
    """

    seconds_at_least: Seconds
    within_s: Seconds | None = None


class ScoreIs(Condition, frozen=True, kw_only=True):
    """score: one of the call's scores so far, over at least `utterances` with a label."""

    of: ScoreOf
    at_most: Score | None = None
    at_least: Score | None = None
    utterances: Several = 3


class Trend(Condition, frozen=True, kw_only=True):
    """trend: polarity a minute; never true while it is insufficient."""

    per_minute_at_most: float | None = None
    per_minute_at_least: float | None = None


class Near(Condition, frozen=True, kw_only=True):
    """near: `first` and `then` within so many seconds of each other, in this order unless `ordered: false`."""

    first: "When"
    then: "When"
    within_s: Seconds
    ordered: bool = True


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"not_": "not"}, dict=True):
    """One condition: exactly one of these keys."""

    all: Annotated[tuple["When", ...], msgspec.Meta(min_length=1)] | None = None
    any: Annotated[tuple["When", ...], msgspec.Meta(min_length=1)] | None = None
    not_: "When | None" = None
    near: Near | None = None
    fused: Judged | None = None
    voice: Judged | None = None
    words: Judged | None = None
    cause: CauseIs | None = None
    keyword: KeywordIs | None = None
    signal: SignalIs | None = None
    loudness: Loudness | None = None
    speech_rate: SpeechRate | None = None
    interruptions: Interruptions | None = None
    silence: Silence | None = None
    score: ScoreIs | None = None
    trend: Trend | None = None

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The keys that are given, as YAML writes them. Looked up once: a condition is judged at each utterance."""
        return tuple(name.rstrip("_") for name in self.__struct_fields__ if getattr(self, name) is not None)

    @property
    def inner(self) -> "list[tuple[str, When]]":
        """The conditions inside this one, each with its place in the YAML."""
        lists = [(f"{name}[{number}]", one) for name in ("all", "any") for number, one in enumerate(getattr(self, name) or ())]
        negated = [("not", self.not_)] if self.not_ is not None else []
        near = [("near.first", self.near.first), ("near.then", self.near.then)] if self.near is not None else []
        return [*lists, *negated, *near]
