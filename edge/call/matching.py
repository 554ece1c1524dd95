"""Whether one utterance meets one condition, in the terms that an alert explains itself with."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.call.conditions import CauseIs, Judged, KeywordIs, Loudness, SignalIs, SpeechRate, Windowed
from edge.call.picture import Heard, Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How an utterance that could be judged meets a condition: `what` was asked, the `value` heard, what it `needs`."""

    holds: bool
    what: str
    value: str
    needs: str
    probability: float | None = None
    voice_alone: bool = False


def matcher(name: str, asked: Windowed, strictness: float) -> Callable[[Heard], Match | None]:
    """A judge of one utterance for condition `name`; it answers None where the utterance cannot be judged by it."""
    match asked:
        case Judged():
            return lambda one: _judged(name, asked, strictness, getattr(one, name))
        case CauseIs():
            return lambda one: _cause(asked, _raised(asked.p_at_least, strictness), one)
        case KeywordIs():
            return lambda one: _keyword(asked, _raised(asked.confidence_at_least, strictness), one)
        case SignalIs():
            return lambda one: _signal(asked, one)
        case Loudness():
            return lambda one: _loudness(asked, one)
        case SpeechRate():
            return lambda one: _speech_rate(asked, one)
        case _:
            raise TypeError(f"condition '{name}' has nobody to judge it")


def _raised(threshold: float, strictness: float) -> float:
    """A probability's threshold with `strictness` of what is left above it taken away."""
    return threshold + (1 - threshold) * strictness


def _judged(name: str, asked: Judged, strictness: float, heard: Judgement | None) -> Match | None:
    if heard is None or heard.quality < asked.min_quality:
        return None
    tests: list[tuple[str, float, bool, str]] = []
    if asked.p_negative_at_least is not None:
        limit = _raised(asked.p_negative_at_least, strictness)
        tests.append(("p_negative", heard.p_negative, heard.p_negative >= limit, f"at least {limit:.2f}"))
    if asked.polarity_at_most is not None:
        limit = -_raised(-asked.polarity_at_most, strictness)
        tests.append(("polarity", heard.polarity, heard.polarity <= limit, f"at most {limit:.2f}"))
    if asked.polarity_at_least is not None:
        limit = asked.polarity_at_least
        tests.append(("polarity", heard.polarity, heard.polarity >= limit, f"at least {limit:.2f}"))
    return Match(
        holds=all(holds for _, _, holds, _ in tests),
        what=f"{name} {tests[0][0]}",
        value=f"{tests[0][1]:.2f}",
        needs=" and ".join(needs for *_, needs in tests),
        # A condition on friendliness is no claim about negativity.
        probability=None if asked.polarity_at_least is not None else heard.p_negative,
        voice_alone=heard.voice_alone,
    )


def _cause(asked: CauseIs, limit: float, one: Heard) -> Match | None:
    if one.words is None or one.words.quality < asked.min_quality:
        return None
    return Match(
        holds=one.cause in asked.any_of and one.cause_p >= limit,
        what=f"cause {one.cause}",
        value=f"p {one.cause_p:.2f}",
        needs=f"at least {limit:.2f}",
        probability=one.cause_p,
    )


def _keyword(asked: KeywordIs, limit: float, one: Heard) -> Match | None:
    if one.words is None or one.words.quality < asked.min_quality:
        return None
    name, confidence = max(((k, c) for k, c in one.keywords if k in asked.any_of), key=lambda found: found[1], default=("none", 0.0))
    return Match(
        holds=confidence >= max(limit, 1e-9),
        what=f"keyword {name}",
        value=f"confidence {confidence:.2f}",
        needs=f"at least {limit:.2f}",
        probability=confidence,
    )


def _signal(asked: SignalIs, one: Heard) -> Match | None:
    if one.words is None or one.words.quality < asked.min_quality:
        return None
    found = [signal for signal in one.signals if signal in asked.any_of]
    return Match(holds=bool(found), what="signal", value=" and ".join(found) or "none", needs=" or ".join(asked.any_of))


def _loudness(asked: Loudness, one: Heard) -> Match | None:
    if one.loudness_db is None:
        return None
    return Match(
        holds=one.loudness_db >= asked.db_at_least,
        what="loudness against own baseline",
        value=f"{one.loudness_db:+.1f} dB",
        needs=f"at least {asked.db_at_least:+g} dB",
        voice_alone=True,
    )


def _speech_rate(asked: SpeechRate, one: Heard) -> Match | None:
    rate = one.words_per_minute
    if rate is None:
        return None
    low, high = asked.wpm_at_least, asked.wpm_at_most
    return Match(
        holds=(low is None or rate >= low) and (high is None or rate <= high),
        what="speech rate",
        value=f"{rate:.0f} words a minute",
        needs=f"at least {low:g}" if low is not None else f"at most {high:g}",
        voice_alone=True,
    )
