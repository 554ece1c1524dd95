"""Whether a rule's condition is true of a call, what it needed and what there was. Pure: a view in, an outcome out."""

from collections import Counter
from collections.abc import Callable

from edge.call.rules.conditions import CauseIs, Interruptions, Near, ScoreIs, Silence, Trend, When, Windowed
from edge.call.rules.matching import Match, matcher
from edge.call.rules.outcome import Hit, Outcome, every, leaf, negated, strongest, together, way
from edge.call.rules.view import CallView, Stretch, UtteranceView

# The newest utterances behind a score or a trend stand for it as evidence.
_SCORE_EVIDENCE = 3
# An explanation shows so many of the values that were heard.
_VALUES = 4


def judge(when: When, view: CallView, strictness: float = 0.0) -> Outcome:
    """What became of `when` in the call so far.

    `strictness` 0..1 is how much of what is left above each threshold the alert budget takes away.
    """
    (name,) = when.named
    match name:
        case "all":
            return every([judge(one, view, strictness) for one in when.all or ()])
        case "any":
            return strongest([judge(one, view, strictness) for one in when.any or ()])
        case "not" if when.not_ is not None:
            # What must not be is judged by its own threshold, not by one the budget has raised.
            return negated(judge(when.not_, view))
        case _:
            return _leaf(name, getattr(when, name), view, strictness)


def _leaf(name: str, condition: object, view: CallView, strictness: float) -> Outcome:
    match condition:
        case Near():
            return _near(condition, view, strictness)
        case Windowed():
            return _windowed(condition, matcher(name, condition, strictness), view)
        case Interruptions():
            return _interruptions(condition, view)
        case Silence():
            return _silence(condition, view)
        case ScoreIs():
            return _score(condition, view, strictness)
        case Trend():
            return _trend(condition, view)
        case _:
            raise TypeError(f"condition '{name}' has nobody to judge it")


def _windowed(condition: Windowed, match_of: Callable[[UtteranceView | None], Match], view: CallView) -> Outcome:
    """What became of a condition on utterances in its window; what could not be judged is passed over."""
    judged = [(one, match_of(one)) for one in _window(condition, view)]
    known = [(one, match) for one, match in judged if match.unjudged is None]
    passed_over = Counter(match.unjudged for _, match in judged if match.unjudged is not None)
    needed = condition.sustained or condition.times
    wanted = known[-condition.sustained :] if condition.sustained else [(one, match) for one, match in known if match.holds]
    # Where too few hold, those that come nearest are what there was.
    shown = wanted if condition.sustained else wanted or sorted(known, key=lambda found: found[1].nearness)[-condition.times :]
    holds = len(wanted) >= needed and all(match.holds for _, match in wanted)
    best = sorted((match.nearness for _, match in (wanted if condition.sustained else known)), reverse=True)[:needed]
    chances = [match.probability for _, match in wanted if match.probability is not None]
    told = shown[-1][1] if shown else match_of(None)
    row = f"{len(shown)} utterances in a row" if condition.sustained else f"at {_clock(shown[-1][0].start_ms)}" if shown else ""
    values = ", ".join(match.value for _, match in shown[-_VALUES:])
    times = "" if holds or needed == 1 else f", {needed} in a row" if condition.sustained else f", {needed} times"
    return leaf(
        holds=holds,
        what=(wanted[0][1] if holds else told).what,
        needed=(wanted[0][1] if holds else told).needs + times,
        had=f"{values}{' in ' if condition.sustained else ' '}{row}" if shown else "nothing that could be judged",
        nearness=sum(best) / needed,
        hits=tuple(
            Hit(
                start_ms=one.start_ms,
                end_ms=one.end_ms,
                heard=one,
                voice_alone=match.voice_alone,
                for_cause=isinstance(condition, CauseIs),
            )
            for one, match in wanted
        ),
        # Several in a row are as sure as their mean; one among several is as sure as the best.
        probability=(sum(chances) / len(chances) if condition.sustained else max(chances)) if chances else None,
        passed_over=tuple(passed_over.items()),
    )


def _window(condition: Windowed, view: CallView) -> list[UtteranceView]:
    theirs = [one for one in view.heard if one.side == condition.role]
    if condition.within_utterances is not None:
        theirs = theirs[-condition.within_utterances :]
    if condition.within_s is not None:
        theirs = [one for one in theirs if one.end_ms > view.now_ms - condition.within_s * 1000]
    if condition.share is not None:
        low, high = (share * view.now_ms for share in condition.share)
        theirs = [one for one in theirs if low <= (one.start_ms + one.end_ms) / 2 <= high]
    return theirs


def _near(condition: Near, view: CallView, strictness: float) -> Outcome:
    def apart(a: Hit, b: Hit) -> float:
        if condition.ordered and a.start_ms > b.start_ms:
            return float("inf")
        return max(a.start_ms, b.start_ms) - min(a.end_ms, b.end_ms)

    first, then = judge(condition.first, view, strictness), judge(condition.then, view, strictness)
    order = ", in this order" if condition.ordered else ""
    return together(first, then, apart=apart, within=condition.within_s * 1000, needed=f"at most {condition.within_s:g} s{order}")


def _interruptions(condition: Interruptions, view: CallView) -> Outcome:
    since = _since(condition.within_s, view)
    found = [one for one in view.heard if one.side == condition.by and one.broke_in and one.start_ms >= since]
    return leaf(
        holds=len(found) >= condition.at_least,
        what=f"the {condition.by} broke in",
        needed=str(condition.at_least),
        had=f"{len(found)} times",
        nearness=len(found) / condition.at_least,
        hits=tuple(Hit(start_ms=one.start_ms, end_ms=one.end_ms, heard=one) for one in found),
    )


def _silence(condition: Silence, view: CallView) -> Outcome:
    needed = f"{condition.seconds_at_least:g} s"
    if not view.hears_both:
        return leaf(holds=False, what="silence", needed=needed, had="only one side is on the line", nearness=0.0)
    since = _since(condition.within_s, view)
    recent = [one for one in view.silences if one.end_ms > since]
    long = [one for one in recent if _length_s(one) >= condition.seconds_at_least]
    longest = max(recent, key=_length_s, default=None)
    had = f"of {_length_s(longest):.1f} s from {_clock(longest.start_ms)}" if longest else "none"
    # A silence that nobody has broken yet may be the end of the call: it makes no alert, and an explanation says that it is there.
    going_on = "" if long or not view.quiet_ms else f"; {view.quiet_ms / 1000:.1f} s so far, and nobody knows whether the call goes on"
    return leaf(
        holds=bool(long),
        what="silence",
        needed=needed,
        had=had + going_on,
        nearness=(_length_s(longest) if longest else 0.0) / condition.seconds_at_least,
        hits=tuple(Hit(start_ms=one.start_ms, end_ms=one.end_ms) for one in long),
    )


def _score(condition: ScoreIs, view: CallView, strictness: float) -> Outcome:
    worst = None if view.scores.worst is None else view.scores.worst.polarity
    value = {"mean": view.scores.mean, "end_weighted": view.scores.end_weighted, "worst": worst}[condition.of]
    what = f"score {condition.of}"
    limit = None if condition.at_most is None else condition.at_most - (1 + condition.at_most) * strictness
    needed = f"at most {limit:.2f}" if limit is not None else f"at least {condition.at_least:.2f}"
    if value is None or len(view.labelled) < condition.utterances:
        had = f"{len(view.labelled)} judged utterances"
        return leaf(holds=False, what=what, needed=f"{needed} over {condition.utterances}", had=had, nearness=0.0)
    return leaf(
        holds=(limit is None or value <= limit) and (condition.at_least is None or value >= condition.at_least),
        what=what,
        needed=needed,
        had=f"{value:.2f}",
        # Polarity lies in -1..1: the way begins at the far end.
        nearness=min(
            1.0 if limit is None else way(value, limit, 1.0), 1.0 if condition.at_least is None else way(value, condition.at_least, -1.0)
        ),
        hits=_latest(view),
    )


def _trend(condition: Trend, view: CallView) -> Outcome:
    slope, low, high = view.scores.trend, condition.per_minute_at_most, condition.per_minute_at_least
    needed = f"at most {low:g}" if low is not None else f"at least {high:g}"
    if slope is None:
        return leaf(holds=False, what="trend", needed=needed, had="insufficient", nearness=0.0)
    limit = low if low is not None else high
    return leaf(
        holds=(low is None or slope <= low) and (high is None or slope >= high),
        what="trend",
        needed=needed,
        had=f"{slope:.2f} a minute",
        nearness=slope / limit if limit else 0.0,
        hits=_latest(view),
    )


def _latest(view: CallView) -> tuple[Hit, ...]:
    """The newest scored utterances. They stand on voice alone only where the whole call does."""
    alone = all(one.fused is not None and one.fused.voice_alone for one in view.labelled)
    return tuple(Hit(start_ms=one.start_ms, end_ms=one.end_ms, heard=one, voice_alone=alone) for one in view.labelled[-_SCORE_EVIDENCE:])


def _since(within_s: float | None, view: CallView) -> float:
    return -1 if within_s is None else view.now_ms - within_s * 1000


def _length_s(stretch: Stretch) -> float:
    return (stretch.end_ms - stretch.start_ms) / 1000


def _clock(milliseconds: int) -> str:
    """Place in the call as mm:ss."""
    return f"{milliseconds // 60_000:02d}:{milliseconds // 1000 % 60:02d}"
