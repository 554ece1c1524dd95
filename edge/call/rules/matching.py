"""Whether one utterance meets one condition, in the terms that an alert explains itself with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
            return lambda one: _judged(branch, condition, strictness, one)
        case CauseIs():
            return lambda one: _cause(condition, _raised(condition.p_at_least, strictness), one)
        case KeywordIs():
            return lambda one: _keyword(condition, _raised(condition.confidence_at_least, strictness), one)
        case SignalIs():
            return lambda one: _signal(condition, one)
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


def _judged(branch: Branch, condition: Judged, strictness: float, one: UtteranceView | None) -> Match:
    heard: Judgement | None = getattr(one, branch, None)
    # Each threshold: of what, on which side of it (polarity's own far end is where its way begins), how it is said.
    tests: list[tuple[str, float, bool, str]] = []
    if condition.p_negative_at_least is not None:
        tests.append(("p_negative", _raised(condition.p_negative_at_least, strictness), True, "at least"))
    if condition.polarity_at_most is not None:
        tests.append(("polarity", -_raised(-condition.polarity_at_most, strictness), False, "at most"))
    if condition.polarity_at_least is not None:
        tests.append(("polarity", condition.polarity_at_least, True, "at least"))
    asked = Match(what=f"{branch} {tests[0][0]}", needs=" and ".join(f"{side} {limit:.2f}" for _, limit, _, side in tests))
    unjudged = _unjudged(one, branch, condition.min_quality)
    if heard is None or unjudged is not None:
        return replace(asked, unjudged=unjudged)
    values = [(getattr(heard, of), limit, above) for of, limit, above, _ in tests]
    starts = {"p_negative": 0.0, "polarity": -1.0}
    return replace(
        asked,
        holds=all(value >= limit if above else value <= limit for value, limit, above in values),
        value=f"{values[0][0]:.2f}",
        nearness=min(way(getattr(heard, of), limit, starts[of] if above else 1.0) for of, limit, above, _ in tests),
        # A condition on friendliness is no claim about negativity.
        probability=None if condition.polarity_at_least is not None else heard.p_negative,
        voice_alone=heard.voice_alone,
    )


def _cause(condition: CauseIs, limit: float, one: UtteranceView | None) -> Match:
    asked = Match(what=f"cause {' or '.join(condition.any_of)}", needs=f"at least {limit:.2f}")
    unjudged = _unjudged(one, "words", condition.min_quality)
    if one is None or unjudged is not None:
        return replace(asked, unjudged=unjudged)
    if one.cause not in condition.any_of:
        return replace(asked, value=one.cause or "none")
    holds = one.cause_p >= limit
    return Match(
        what=f"cause {one.cause}",
        needs=asked.needs,
        holds=holds,
        value=f"p {one.cause_p:.2f}",
        nearness=way(one.cause_p, limit),
        probability=one.cause_p,
    )


def _keyword(condition: KeywordIs, limit: float, one: UtteranceView | None) -> Match:
    asked = Match(what=f"keyword {' or '.join(condition.any_of)}", needs=f"at least {limit:.2f}")
    unjudged = _unjudged(one, "words", condition.min_quality)
    if one is None or unjudged is not None:
        return replace(asked, unjudged=unjudged)
    heard = [found for found in one.keywords if found[0] in condition.any_of]
    if not heard:
        return replace(asked, value="none")
    name, confidence = max(heard, key=lambda found: found[1])
    return Match(
        what=f"keyword {name}",
        needs=asked.needs,
        # A keyword of no confidence was not heard, whatever the threshold.
        holds=confidence >= max(limit, 1e-9),
        value=f"confidence {confidence:.2f}",
        nearness=way(confidence, limit),
        probability=confidence,
    )


def _signal(condition: SignalIs, one: UtteranceView | None) -> Match:
    asked = Match(what="signal", needs=" or ".join(condition.any_of))
    unjudged = _unjudged(one, "words", condition.min_quality)
    if one is None or unjudged is not None:
        return replace(asked, unjudged=unjudged)
    found = [signal for signal in one.signals if signal in condition.any_of]
    return replace(asked, holds=bool(found), value=" and ".join(found) or "none", nearness=float(bool(found)))


def _loudness(condition: Loudness, one: UtteranceView | None) -> Match:
    limit = condition.db_at_least
    asked = Match(what="loudness against own baseline", needs=f"at least {limit:+g} dB", voice_alone=True)
    if one is None or one.loudness_db is None:
        return replace(asked, unjudged="no baseline yet")
    return replace(
        asked,
        holds=one.loudness_db >= limit,
        value=f"{one.loudness_db:+.1f} dB",
        nearness=way(one.loudness_db, limit) if limit > 0 else float(one.loudness_db >= limit),
    )


def _speech_rate(condition: SpeechRate, one: UtteranceView | None) -> Match:
    low, high = condition.wpm_at_least, condition.wpm_at_most
    needs = f"at least {low:g}" if low is not None else f"at most {high:g}"
    asked = Match(what="speech rate", needs=needs, voice_alone=True)
    if one is None or one.words_per_minute is None:
        return replace(asked, unjudged="no rate of speech")
    rate = one.words_per_minute
    holds = (low is None or rate >= low) and (high is None or rate <= high)
    # Too slow is measured against the lower bound, too fast against the upper one.
    way = rate / low if low and rate < low else high / rate if high and rate > high else 1.0
    return replace(asked, holds=holds, value=f"{rate:.0f} words a minute", nearness=min(way, 1.0))
