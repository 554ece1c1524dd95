"""The five call scores: fused polarity over the customer's utterances, neutrals counted, from the events alone.

Each utterance that has a label counts once, whatever its length, so that a consumer can do every figure again.
"""

from bisect import bisect_left
from collections.abc import Sequence
from statistics import fmean, linear_regression

from edge.call.rules.view import UtteranceView
from edge.wire.codes import NoTrend
from edge.wire.parts import ScoresData, WorstData

QUARTERS = 4
# A line through fewer points, or over less than half a minute, says more of chance than of the call.
TREND_UTTERANCES = 4
TREND_SPAN_MS = 30_000
# The stretch worth listening to again: about two exchanges.
WORST_WINDOW_MS = 30_000
_MS_PER_MINUTE = 60_000
_DECIMALS = 4


def scores(heard: Sequence[UtteranceView], duration_ms: int) -> ScoresData:
    """The five scores of a call that has lasted `duration_ms`, from those of its utterances (in order of start) that have a label.

    mean: plain. end_weighted: each weighs its middle's place in the call (0 at the start, 1 at the end), because the end is
    what a customer remembers (peak-end: Kahneman et al. 1993). quarters: means by quarter of the call, null where empty.
    trend: least-squares slope, polarity a minute. worst: the 30 s with the lowest mean.
    """
    scored = [one for one in heard if one.labelled]
    if not scored:
        return ScoresData(
            mean=None, end_weighted=None, quarters=[None] * QUARTERS, trend=None, trend_reason=NoTrend.INSUFFICIENT, worst=None
        )
    slope = trend(scored)
    weights = [max(1.0, one.middle_ms) for one in scored]
    return ScoresData(
        mean=_rounded(fmean(one.polarity for one in scored)),
        end_weighted=_rounded(fmean((one.polarity for one in scored), weights)),
        quarters=_quarters(scored, duration_ms),
        trend=None if slope is None else round(slope, _DECIMALS),
        trend_reason=NoTrend.INSUFFICIENT if slope is None else None,
        worst=_worst(scored),
    )


def trend(scored: Sequence[UtteranceView]) -> float | None:
    """Polarity a minute, by least squares; None where there is too little to draw a line through."""
    if len(scored) < TREND_UTTERANCES or scored[-1].start_ms - scored[0].start_ms < TREND_SPAN_MS:
        return None
    return linear_regression([one.middle_ms / _MS_PER_MINUTE for one in scored], [one.polarity for one in scored]).slope


def _quarters(scored: Sequence[UtteranceView], duration_ms: int) -> list[float | None]:
    quarters: list[list[float]] = [[] for _ in range(QUARTERS)]
    for one in scored:
        place = int(one.middle_ms * QUARTERS / max(duration_ms, 1))
        quarters[min(place, QUARTERS - 1)].append(one.polarity)
    return [_rounded(fmean(quarter)) if quarter else None for quarter in quarters]


def _worst(scored: Sequence[UtteranceView]) -> WorstData:
    """The window, beginning with an utterance, whose mean is lowest; lone utterances count only where there is nothing else."""
    starts = [one.start_ms for one in scored]
    windows = [scored[first : bisect_left(starts, start + WORST_WINDOW_MS, first)] for first, start in enumerate(starts)]
    several = [window for window in windows if len(window) > 1] or windows
    worst = min(several, key=lambda window: fmean(one.polarity for one in window))
    return WorstData(
        polarity=_rounded(fmean(one.polarity for one in worst)), start_ms=worst[0].start_ms, end_ms=max(one.end_ms for one in worst)
    )


def _rounded(polarity: float) -> float:
    """Four decimals, inside -1..1 whatever the rounding of a sum did."""
    return min(1.0, max(-1.0, round(polarity, _DECIMALS)))
