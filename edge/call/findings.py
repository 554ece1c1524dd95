"""Whether a rule's condition is true of a call, and on what it stands. Pure: a picture in, a finding out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.call.conditions import CauseIs, Interruptions, Near, ScoreIs, Silence, Trend, When, Windowed
from edge.call.matching import Match, matcher
from edge.call.picture import Heard, Picture

# The newest utterances behind a score or a trend stand for it as evidence.
_SCORE_EVIDENCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place in the call that a condition stands on; `heard` is None for a silence.

    `voice_alone`: no words behind it; `for_cause`: it is here because it complains of what the rule asked for.
    """

    start_ms: int
    end_ms: int
    heard: Heard | None = None
    voice_alone: bool = False
    for_cause: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A condition that holds: its hits in order of time, its probability (None: not a matter of one), and why, in numbers.

    The probability of `all` and `near` is its weakest part's, of `any` its strongest's: an upper bound and a lower one.
    """

    hits: tuple[Hit, ...] = ()
    probability: float | None = None
    why: tuple[str, ...] = ()


def find(when: When, picture: Picture, strictness: float = 0.0) -> Finding | None:
    """What makes `when` true of the call so far; None where it is not.

    `strictness` 0..1 is how much of what is left above each threshold the alert budget takes away.
    """
    (name,) = when.named
    match name:
        case "all":
            return _every([find(one, picture, strictness) for one in when.all or ()])
        case "any":
            return _strongest([find(one, picture, strictness) for one in when.any or ()])
        case "not":
            # What must not be is judged by its own threshold, not by one the budget has raised.
            return Finding() if when.not_ is not None and find(when.not_, picture) is None else None
        case _:
            return _leaf(name, getattr(when, name), picture, strictness)


def _leaf(name: str, asked: object, picture: Picture, strictness: float) -> Finding | None:
    match asked:
        case Near():
            return _near(asked, picture, strictness)
        case Windowed():
            return _windowed(asked, matcher(name, asked, strictness), picture)
        case Interruptions():
            return _interruptions(asked, picture)
        case Silence():
            return _silence(asked, picture)
        case ScoreIs():
            return _score(asked, picture, strictness)
        case Trend():
            return _trend(asked, picture)
        case _:
            raise TypeError(f"condition '{name}' has nobody to judge it")


def _every(findings: Sequence[Finding | None]) -> Finding | None:
    held = [finding for finding in findings if finding is not None]
    return _joined(held, min) if len(held) == len(findings) else None


def _strongest(findings: Sequence[Finding | None]) -> Finding | None:
    held = [finding for finding in findings if finding is not None]
    return _joined(held, max) if held else None


def _joined(findings: Sequence[Finding], choose: Callable[[list[float]], float]) -> Finding:
    hits = {hit for finding in findings for hit in finding.hits}
    chances = [finding.probability for finding in findings if finding.probability is not None]
    return Finding(
        hits=tuple(sorted(hits, key=lambda hit: (hit.start_ms, hit.end_ms))),
        probability=choose(chances) if chances else None,
        why=tuple(dict.fromkeys(reason for finding in findings for reason in finding.why)),
    )


def _windowed(asked: Windowed, judge: Callable[[Heard], Match | None], picture: Picture) -> Finding | None:
    """What a condition on utterances finds in its window."""
    judged = [(one, judge(one)) for one in _window(asked, picture)]
    known = [(one, match) for one, match in judged if match is not None]
    wanted = known[-asked.sustained :] if asked.sustained else [(one, match) for one, match in known if match.holds]
    if len(wanted) < (asked.sustained or asked.times) or not all(match.holds for _, match in wanted):
        return None
    chances = [match.probability for _, match in wanted if match.probability is not None]
    # Several in a row are as sure as their mean; one among several is as sure as the best.
    summary = (sum(chances) / len(chances) if asked.sustained else max(chances)) if chances else None
    first = wanted[0][1]
    values = ", ".join(match.value for _, match in wanted[-4:])
    for_cause = isinstance(asked, CauseIs)
    row = f" in {len(wanted)} utterances in a row" if asked.sustained else f" at {_clock(wanted[-1][0].start_ms)}"
    return Finding(
        hits=tuple(
            Hit(start_ms=one.start_ms, end_ms=one.end_ms, heard=one, voice_alone=match.voice_alone, for_cause=for_cause)
            for one, match in wanted
        ),
        probability=summary,
        why=(f"{first.what} {values}{row} (needs {first.needs})",),
    )


def _window(asked: Windowed, picture: Picture) -> list[Heard]:
    theirs = [one for one in picture.heard if one.side == asked.role]
    if asked.within_utterances is not None:
        theirs = theirs[-asked.within_utterances :]
    if asked.within_s is not None:
        theirs = [one for one in theirs if one.end_ms > picture.now_ms - asked.within_s * 1000]
    if asked.share is not None:
        low, high = (share * picture.now_ms for share in asked.share)
        theirs = [one for one in theirs if low <= (one.start_ms + one.end_ms) / 2 <= high]
    return theirs


def _near(asked: Near, picture: Picture, strictness: float) -> Finding | None:
    first, then = find(asked.first, picture, strictness), find(asked.then, picture, strictness)
    if first is None or then is None:
        return None
    pairs = [
        (a, b)
        for a in first.hits
        for b in then.hits
        if max(a.start_ms, b.start_ms) - min(a.end_ms, b.end_ms) <= asked.within_s * 1000
        and (a.start_ms <= b.start_ms or not asked.ordered)
    ]
    if not pairs:
        return None
    both = _joined([first, then], min)
    near = {hit for pair in pairs for hit in pair}
    return Finding(hits=tuple(hit for hit in both.hits if hit in near), probability=both.probability, why=both.why)


def _interruptions(asked: Interruptions, picture: Picture) -> Finding | None:
    since = -1 if asked.within_s is None else picture.now_ms - asked.within_s * 1000
    found = [one for one in picture.heard if one.side == asked.by and one.broke_in and one.start_ms >= since]
    if len(found) < asked.at_least:
        return None
    hits = tuple(Hit(start_ms=one.start_ms, end_ms=one.end_ms, heard=one) for one in found)
    return Finding(hits=hits, why=(f"the {asked.by} broke in {len(found)} times (needs {asked.at_least})",))


def _silence(asked: Silence, picture: Picture) -> Finding | None:
    since = -1 if asked.within_s is None else picture.now_ms - asked.within_s * 1000
    long = [one for one in picture.silences if one.end_ms - one.start_ms >= asked.seconds_at_least * 1000 and one.end_ms > since]
    if not long or not picture.hears_both:
        return None
    longest = max(long, key=lambda one: one.end_ms - one.start_ms)
    length = (longest.end_ms - longest.start_ms) / 1000
    return Finding(
        hits=tuple(Hit(start_ms=one.start_ms, end_ms=one.end_ms) for one in long),
        why=(f"silence of {length:.1f} s from {_clock(longest.start_ms)} (needs {asked.seconds_at_least:g} s)",),
    )


def _score(asked: ScoreIs, picture: Picture, strictness: float) -> Finding | None:
    worst = None if picture.scores.worst is None else picture.scores.worst.polarity
    value = {"mean": picture.scores.mean, "end_weighted": picture.scores.end_weighted, "worst": worst}[asked.of]
    if value is None or len(picture.labelled) < asked.utterances:
        return None
    limit = None if asked.at_most is None else asked.at_most - (1 + asked.at_most) * strictness
    if (limit is not None and value > limit) or (asked.at_least is not None and value < asked.at_least):
        return None
    needs = f"at most {limit:.2f}" if limit is not None else f"at least {asked.at_least:.2f}"
    return Finding(hits=_latest(picture), why=(f"score {asked.of} {value:.2f} (needs {needs})",))


def _trend(asked: Trend, picture: Picture) -> Finding | None:
    slope = picture.scores.trend
    if slope is None:
        return None
    low, high = asked.per_minute_at_most, asked.per_minute_at_least
    if (low is not None and slope > low) or (high is not None and slope < high):
        return None
    needs = f"at most {low:g}" if low is not None else f"at least {high:g}"
    return Finding(hits=_latest(picture), why=(f"trend {slope:.2f} a minute (needs {needs})",))


def _latest(picture: Picture) -> tuple[Hit, ...]:
    """The newest scored utterances. They stand on voice alone only where the whole call does."""
    alone = all(one.fused is not None and one.fused.voice_alone for one in picture.labelled)
    return tuple(Hit(start_ms=one.start_ms, end_ms=one.end_ms, heard=one, voice_alone=alone) for one in picture.labelled[-_SCORE_EVIDENCE:])


def _clock(milliseconds: int) -> str:
    """Place in the call as mm:ss."""
    return f"{milliseconds // 60_000:02d}:{milliseconds // 1000 % 60:02d}"
