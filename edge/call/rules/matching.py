"""Whether one utterance meets one condition, in the terms that an alert explains itself with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from edge.call.rules.conditions import CauseIs, Judged, KeywordIs, Loudness, SignalIs, SpeechRate, Windowed
from edge.call.rules.outcome import way
from edge.call.rules.view import Branch, Judgement, UtteranceView


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How an utterance meets a condition: `what` was asked, the `value` heard, what it `needs`, and how near it came, 0..1.

    `unjudged` is why the condition cannot judge the utterance at all (None: it can); nothing holds then.
    """

    what: str
    needs: str
    holds: bool = False
    value: str = ""
    nearness: float = 0.0
    unjudged: str | None = None
    probability: float | None = None
    voice_alone: bool = False


def matcher(name: str, condition: Windowed, strictness: float) -> Callable[[UtteranceView | None], Match]:
    """A judge of one utterance for condition `name`; None asks it for no more than what it asks and needs."""
    match condition:
        case Judged():
            branch = cast("Branch", name)  # These three conditions have the branches' names.
            tests = _tests(condition, strictness)
            asked = Match(what=f"{branch} {tests[0].of}", needs=" and ".join(f"{test.side} {test.limit:.2f}" for test in tests))
            return lambda one: _judged(asked, branch, condition, tests, one)
        case CauseIs():
            return lambda one: _cause(condition, _raised(condition.p_at_least, strictness), one)
        case KeywordIs():
            return lambda one: _keyword(condition, _raised(condition.confidence_at_least, strictness), one)
        case SignalIs():
            needs = " or ".join(condition.any_of)
            return lambda one: _signal(needs, condition, one)
        case Loudness():
            return lambda one: _loudness(condition, one)
        case SpeechRate():
            return lambda one: _speech_rate(condition, one)
        case _:
            raise TypeError(f"condition '{name}' has nobody to judge it")


def _raised(threshold: float, strictness: float) -> float:
    """A probability's threshold with `strictness` of what is left above it taken away."""
    return threshold + (1 - threshold) * strictness


def _unjudged(one: UtteranceView | None, branch: Branch, min_quality: float) -> str | None:
    """Why the judgement of `branch` is none to go by; None where it is."""
    judgement = getattr(one, branch, None)
    if one is None or judgement is None:
        return "nobody spoke" if one is None else one.unjudged.get(branch, "not judged")
    return f"badly heard (quality under {min_quality:g})" if judgement.quality < min_quality else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """A threshold: of what, on which side of it, where its way begins, how it is said."""

    of: str
    limit: float
    above: bool
    start: float
    side: str


def _tests(condition: Judged, strictness: float) -> tuple[_Test, ...]:
    """The thresholds that `condition` has; of polarity, the way to one begins at its far end."""
    tests = []
    if condition.p_negative_at_least is not None:
        limit = _raised(condition.p_negative_at_least, strictness)
        tests.append(_Test(of="p_negative", limit=limit, above=True, start=0.0, side="at least"))
    if condition.polarity_at_most is not None:
        limit = -_raised(-condition.polarity_at_most, strictness)
        tests.append(_Test(of="polarity", limit=limit, above=False, start=1.0, side="at most"))
    if condition.polarity_at_least is not None:
        tests.append(_Test(of="polarity", limit=condition.polarity_at_least, above=True, start=-1.0, side="at least"))
    return tuple(tests)


def _judged(asked: Match, branch: Branch, condition: Judged, tests: Sequence[_Test], one: UtteranceView | None) -> Match:
    heard: Judgement | None = getattr(one, branch, None)
    unjudged = _unjudged(one, branch, condition.min_quality)
    if heard is None or unjudged is not None:
        return Match(what=asked.what, needs=asked.needs, unjudged=unjudged)
    values = [getattr(heard, test.of) for test in tests]
    return Match(
        what=asked.what,
        needs=asked.needs,
        holds=all(value >= test.limit if test.above else value <= test.limit for value, test in zip(values, tests, strict=True)),
        value=f"{values[0]:.2f}",
        nearness=min(way(value, test.limit, test.start) for value, test in zip(values, tests, strict=True)),
        # A condition on friendliness is no claim about negativity.
        probability=None if condition.polarity_at_least is not None else heard.p_negative,
        voice_alone=heard.voice_alone,
    )


def _cause(condition: CauseIs, limit: float, one: UtteranceView | None) -> Match:
    needs, unjudged = f"at least {limit:.2f}", _unjudged(one, "words", condition.min_quality)
    if one is None or unjudged is not None:
        return Match(what=f"cause {' or '.join(condition.any_of)}", needs=needs, unjudged=unjudged)
    if one.cause not in condition.any_of:
        return Match(what=f"cause {' or '.join(condition.any_of)}", needs=needs, value=one.cause or "none")
    return Match(
        what=f"cause {one.cause}",
        needs=needs,
        holds=one.cause_p >= limit,
        value=f"p {one.cause_p:.2f}",
        nearness=way(one.cause_p, limit),
        probability=one.cause_p,
    )


def _keyword(condition: KeywordIs, limit: float, one: UtteranceView | None) -> Match:
    needs, unjudged = f"at least {limit:.2f}", _unjudged(one, "words", condition.min_quality)
    if one is None or unjudged is not None:
        return Match(what=f"keyword {' or '.join(condition.any_of)}", needs=needs, unjudged=unjudged)
    heard = [found for found in one.keywords if found[0] in condition.any_of]
    if not heard:
        return Match(what=f"keyword {' or '.join(condition.any_of)}", needs=needs, value="none")
    name, confidence = max(heard, key=lambda found: found[1])
    return Match(
        what=f"keyword {name}",
        needs=needs,
        # A keyword of no confidence was not heard, whatever the threshold.
        holds=confidence >= max(limit, 1e-9),
        value=f"confidence {confidence:.2f}",
        nearness=way(confidence, limit),
        probability=confidence,
    )


def _signal(needs: str, condition: SignalIs, one: UtteranceView | None) -> Match:
    unjudged = _unjudged(one, "words", condition.min_quality)
    if one is None or unjudged is not None:
        return Match(what="signal", needs=needs, unjudged=unjudged)
    found = [signal for signal in one.signals if signal in condition.any_of]
    return Match(what="signal", needs=needs, holds=bool(found), value=" and ".join(found) or "none", nearness=float(bool(found)))


def _loudness(condition: Loudness, one: UtteranceView | None) -> Match:
    what, limit = "loudness against own baseline", condition.db_at_least
    needs = f"at least {limit:+g} dB"
    if one is None or one.loudness_db is None:
        return Match(what=what, needs=needs, unjudged="no baseline yet", voice_alone=True)
    return Match(
        what=what,
        needs=needs,
        holds=one.loudness_db >= limit,
        value=f"{one.loudness_db:+.1f} dB",
        nearness=way(one.loudness_db, limit) if limit > 0 else float(one.loudness_db >= limit),
        voice_alone=True,
    )


def _speech_rate(condition: SpeechRate, one: UtteranceView | None) -> Match:
    low, high = condition.wpm_at_least, condition.wpm_at_most
    needs = f"at least {low:g}" if low is not None else f"at most {high:g}"
    if one is None or one.words_per_minute is None:
        return Match(what="speech rate", needs=needs, unjudged="no rate of speech", voice_alone=True)
    rate = one.words_per_minute
    holds = (low is None or rate >= low) and (high is None or rate <= high)
    # Too slow is measured against the lower bound, too fast against the upper one.
    nearness = rate / low if low and rate < low else high / rate if high and rate > high else 1.0
    value = f"{rate:.0f} words a minute"
    return Match(what="speech rate", needs=needs, holds=holds, value=value, nearness=min(nearness, 1.0), voice_alone=True)
