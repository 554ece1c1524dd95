"""Voice evidence is a difference: against the caller's own calm so far, and against what the line is used to.

A net that learnt from actors hears a calm telephone caller two nats above a calm actor, and each caller and line somewhere else again.
So the level of an utterance says little and its distance from the caller's own calm much. A caller's own level alone would take who
is angry from the first word for calm; the line's, which comes from calls before, does not move for one caller. The level to
compare with is the mean of both, weighted by how much is known (an empirical-Bayes estimate: Efron and Morris, "Stein's estimation
rule and its competitors", JASA 68, 1973). How far from it is much is the caller's own, too: who speaks evenly shows displeasure in a small
step, who speaks in leaps shows nothing by one. Louder than so far is a part of the difference (edge.voice.loudness). Nothing here is
labelled, and nothing here is a person's: four numbers a line.

All levels are log-odds against neutral, natural log, training prior taken out, corrected for short utterances.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from edge.values import Absent, Evidence, VoiceReading
from edge.voice.loudness import OwnLoudness
from edge.voice.prior import Level, Prior

# Four decimals are what an event carries: the arithmetic is done on what a consumer can read.
_DECIMALS = 4
# The caller's own utterances count less the further they lie above the line's centre, and the louder: half at the centre, a sixth one
# spread above.
_DOUBT = 0.6
# No utterance is taken for further below the line's centre than this many spreads: a whisper is not somebody's calm.
_LOWEST = 2.0
# Nobody's step counts more than twice for their having spoken evenly so far.
_EVENEST = 0.5
# However alike a call's utterances are: nobody speaks so evenly that half a nat means something.
_NARROWEST = 0.5
# A call with less than this (quality summed over its customer's utterances) has no level of its own to learn from.
_LEAST_HEARD = 3.0
# The line's own: one call moves it by 1 / (calls + 6) of what it differs, never by less than 1 / 200, and what it differs counts up to 1.5
# nats below and 0.5 above. Anger only ever lifts: an hour of it (12 calls, 3 nats up) lifts a new box's centre by half a nat, a used
# one's by 0.03.
_HESITATION, _SLOWEST = 6, 200
_DOWN, _UP = 1.5, 0.5
# Lately: the last ten calls or so. When they differ by more than this from what the line is used to, somebody should know.
_LATELY = 10
DRIFT_NATS = 1.5
_CALLS_TO_TELL = 10


class LineBaseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line is used to, for one voice model. `lately`: where the last ten calls or so lie (negative). `calls` 0: the prior alone."""

    model: str
    negative: Level
    positive: Level
    lately: float
    calls: int = 0
    utterances: int = 0

    def after(self, heard: "Sequence[Heard]") -> "LineBaseline":
        """What it is used to after one call more: slowly, and by no more than a bounded step."""
        if sum(one.quality for one in heard) < _LEAST_HEARD:
            return self
        gain = max(1 / (self.calls + _HESITATION), 1 / _SLOWEST)
        negative, positive = level_of(heard)
        return LineBaseline(
            model=self.model,
            negative=_moved(self.negative, negative, gain),
            positive=_moved(self.positive, positive, gain),
            lately=round(self.lately + (negative.centre - self.lately) / min(self.calls + 1, _LATELY), _DECIMALS),
            calls=self.calls + 1,
            utterances=self.utterances + len(heard),
        )

    @property
    def drift(self) -> float | None:
        """How far, in nats, the last calls lie from what it is used to; None while that is within reason, or too little is known."""
        away = self.lately - self.negative.centre
        return away if self.calls >= _CALLS_TO_TELL and abs(away) > DRIFT_NATS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One utterance of a customer as the voice heard it: its levels, and 0..1 how well."""

    negative: float
    positive: float
    quality: float


def unlearnt(prior: Prior) -> LineBaseline:
    """A line that has heard nothing yet."""
    return LineBaseline(model=prior.model, negative=prior.negative, positive=prior.positive, lately=prior.negative.centre)


def learnt(prior: Prior, calls: Sequence[Sequence[Heard]]) -> LineBaseline:
    """What somebody says that the line is used to: the median over these calls, the prior counting as one of them."""
    known = [call for call in calls if sum(one.quality for one in call) >= _LEAST_HEARD]
    if not known:
        return unlearnt(prior)
    levels = [level_of(call) for call in known]
    negative, positive = (_together(own, [level[which] for level in levels]) for which, own in enumerate((prior.negative, prior.positive)))
    return LineBaseline(
        model=prior.model,
        negative=negative,
        positive=positive,
        lately=negative.centre,
        calls=len(known),
        utterances=sum(map(len, known)),
    )


def level_of(heard: "Sequence[Heard]") -> tuple[Level, Level]:
    """The levels of one call, negative and positive: weighted median, and the median distance from it as a standard deviation."""
    weights = [one.quality for one in heard]
    return _level([one.negative for one in heard], weights), _level([one.positive for one in heard], weights)


@dataclass(slots=True, kw_only=True)
class CallerBaseline:
    """One call's customer against their own utterances before, and against the line. Not for more than one thread."""

    line: LineBaseline
    prior: Prior
    heard: list[Heard] = field(default_factory=list)
    _loudness: OwnLoudness = field(default_factory=OwnLoudness)
    _weight: float = 0.0
    _negative: float = 0.0
    _squares: float = 0.0
    _positive: float = 0.0

    def judge(self, reading: VoiceReading | Absent) -> VoiceReading | Absent:
        """`reading` as a difference from what was heard before it; it then counts for those that follow."""
        if isinstance(reading, Absent) or not (math.isfinite(reading.evidence.negative) and math.isfinite(reading.evidence.positive)):
            return reading
        said = heard_of(reading, self.prior)
        louder = round(self._loudness.louder(reading.speech_dbfs), _DECIMALS)
        judged = self._difference(reading, said, louder)
        calm = self._remember(said, louder)
        self._loudness.remember(reading.speech_dbfs, said.quality, calm)
        return judged

    def _difference(self, reading: VoiceReading, said: Heard, louder: float) -> VoiceReading:
        known = self._weight + self.prior.line_counts_for
        baseline = round((self._negative + self.prior.line_counts_for * self.line.negative.centre) / known, _DECIMALS)
        positive = round((self._positive + self.prior.line_counts_for * self.line.positive.centre) / known, _DECIMALS)
        sure = certainty(reading.voiced_ms, self.prior)
        difference = round(sure * (said.negative - baseline + louder) * self.line.negative.spread / self._spread(), _DECIMALS)
        difference_positive = round(sure * (said.positive - positive + louder), _DECIMALS)
        llr = (
            round(difference - self.prior.threshold_negative, _DECIMALS),
            round(difference_positive - self.prior.threshold_positive, _DECIMALS),
        )
        p_negative, p_neutral, p_positive = _softmax(llr[0], 0.0, llr[1])
        return replace(
            reading,
            p_negative=p_negative,
            p_neutral=p_neutral,
            p_positive=p_positive,
            evidence=Evidence(negative=llr[0], positive=llr[1], quality=reading.evidence.quality),
            baseline=baseline,
            louder=louder,
            difference=difference,
            baseline_positive=positive,
            difference_positive=difference_positive,
        )

    def _spread(self) -> float:
        """How widely this caller's utterances scatter, nats: the line's spread until more is known."""
        usual, counts = self.line.negative.spread, self.prior.spread_counts_for
        own = self._squares - self._negative**2 / self._weight if self._weight else 0.0
        return max(math.sqrt((counts * usual**2 + max(own, 0.0)) / (counts + self._weight)), _EVENEST * usual)

    def _remember(self, said: Heard, louder: float) -> float:
        """Gives how calm it was, 0..1: less the further above the line, and the louder."""
        spread = self.line.negative.spread
        above = (said.negative - self.line.negative.centre + louder) / spread
        calm = 1 / (1 + math.exp(min(above / _DOUBT, 50.0)))
        weight = said.quality * calm
        self._weight += weight
        negative = max(said.negative, self.line.negative.centre - _LOWEST * spread)
        self._negative += weight * negative
        self._squares += weight * negative**2
        self._positive += weight * max(said.positive, self.line.positive.centre - _LOWEST * self.line.positive.spread)
        self.heard.append(said)
        return calm


def heard_of(reading: VoiceReading, prior: Prior) -> Heard:
    """The levels of a reading that no baseline has touched, and its quality. `reading` has at least 0.3 s of voice."""
    seconds = max(reading.voiced_ms, 1) / 1000
    return Heard(
        negative=reading.evidence.negative - prior.short_negative / seconds,
        positive=reading.evidence.positive - prior.short_positive / seconds,
        quality=reading.evidence.quality,
    )


def certainty(voiced_ms: int, prior: Prior) -> float:
    """0..1: how much of a difference is believed. Half a second scatters twice as much as 3 s, which are believed whole."""
    seconds = voiced_ms / 1000
    return min(1.0, seconds / (seconds + prior.half_certain_s) * (1 + prior.half_certain_s / 3))


def _moved(used: Level, call: Level, gain: float) -> Level:
    step = min(max(call.centre - used.centre, -_DOWN), _UP)
    # Twice or half as wide, at most: one call of shouting and whispering does not make a line that nothing surprises.
    wide = min(max(math.log(call.spread / used.spread), -math.log(2)), math.log(2))
    return Level(centre=round(used.centre + gain * step, _DECIMALS), spread=round(used.spread * math.exp(gain * wide), _DECIMALS))


def _together(prior: Level, calls: Sequence[Level]) -> Level:
    n = len(calls)
    centre = _median([level.centre for level in calls], [1.0] * n)
    spread = math.exp(_median([math.log(level.spread) for level in calls], [1.0] * n))
    return Level(
        centre=round((n * centre + prior.centre) / (n + 1), _DECIMALS), spread=round((n * spread + prior.spread) / (n + 1), _DECIMALS)
    )


def _level(values: Sequence[float], weights: Sequence[float]) -> Level:
    centre = _median(values, weights)
    # 1.4826 makes a median distance a standard deviation where the distances are normal.
    spread = 1.4826 * _median([abs(value - centre) for value in values], weights)
    return Level(centre=centre, spread=max(spread, _NARROWEST))


def _median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted median: half of the weight lies on either side; between two values, their mean."""
    ranked = sorted(zip(values, weights, strict=True))
    half, below = sum(weights) / 2, 0.0
    for place, (value, weight) in enumerate(ranked):
        below += weight
        if below > half or place == len(ranked) - 1:
            return value
        if below == half:
            return (value + ranked[place + 1][0]) / 2
    raise ValueError("nothing to take a median of")


def _softmax(*scores: float) -> tuple[float, ...]:
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    return tuple(power / sum(powers) for power in powers)
