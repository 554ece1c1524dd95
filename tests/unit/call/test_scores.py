"""The five call scores, on literals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.call.rules.view import Judgement, UtteranceView
from edge.call.scores import scores
from tests.conversation import seen


def at(second: float, polarity: float, length: float = 2.0) -> UtteranceView:
    judged = Judgement(p_negative=(1 - polarity) / 2, polarity=polarity, quality=1.0)
    return seen(start_ms=int(second * 1000), end_ms=int((second + length) * 1000), fused=judged)


def test_a_call_without_a_labelled_utterance_has_nothing_to_say():
    nothing = scores([], 60_000)
    assert (nothing.mean, nothing.end_weighted, nothing.trend, nothing.worst) == (None, None, None, None)
    assert nothing.quarters == [None, None, None, None]
    assert nothing.trend_reason == "insufficient"


def test_neutrals_count_in_the_mean():
    assert scores([at(0, -0.9), at(10, 0.0), at(20, 0.0)], 30_000).mean == pytest.approx(-0.3)


def test_the_end_weighs_more_than_the_start():
    fell = scores([at(0, 0.5), at(50, -0.5)], 60_000)
    rose = scores([at(0, -0.5), at(50, 0.5)], 60_000)
    assert fell.mean == rose.mean == 0
    assert fell.end_weighted < -0.4
    assert rose.end_weighted > 0.4


def test_quarters_are_of_the_whole_call_and_null_where_nobody_spoke():
    told = scores([at(0, -0.4), at(5, -0.2), at(90, 0.6)], 100_000)
    assert told.quarters == [pytest.approx(-0.3), None, None, pytest.approx(0.6)]


def test_trend_is_polarity_a_minute():
    told = scores([at(30 * n, -0.1 * n) for n in range(5)], 150_000)
    assert told.trend == pytest.approx(-0.2)
    assert told.trend_reason is None


@pytest.mark.parametrize("few", [[at(0, 0.1), at(20, 0.1), at(40, -0.5)], [at(n, -0.1 * n, 0.5) for n in range(6)]])
def test_trend_is_insufficient_with_few_utterances_or_a_short_stretch(few):
    told = scores(few, 60_000)
    assert told.trend is None
    assert told.trend_reason == "insufficient"


def test_the_worst_window_is_half_a_minute_and_says_where():
    told = scores([at(0, 0.2), at(40, -0.8), at(50, -0.6), at(100, -0.9), at(140, 0.1), at(150, 0.1)], 160_000)
    assert told.worst.polarity == pytest.approx(-0.7)
    assert (told.worst.start_ms, told.worst.end_ms) == (40_000, 52_000)


def test_one_bad_word_alone_is_not_the_worst_window_where_there_are_others():
    told = scores([at(0, -1.0, 0.4), at(60, -0.5), at(70, -0.5)], 80_000)
    assert told.worst.start_ms == 60_000


def test_a_call_of_one_utterance_has_it_as_its_worst():
    assert scores([at(5, -0.5)], 10_000).worst.start_ms == 5_000


@given(st.lists(st.tuples(st.integers(0, 3600), st.floats(-1, 1)), min_size=1, max_size=40))
def test_every_score_of_polarities_is_one(spoken):
    told = scores([at(second, polarity) for second, polarity in sorted(spoken)], 3_700_000)
    assert all(-1 <= score <= 1 for score in [told.mean, told.end_weighted, told.worst.polarity, *filter(None, told.quarters)])
    assert told.worst.polarity <= told.mean + 1e-3 or len(spoken) > 1


@given(st.lists(st.tuples(st.integers(0, 600), st.floats(-1, 1)), min_size=1, max_size=20), st.integers(0, 19))
def test_a_worse_utterance_never_improves_the_mean(spoken, which):
    listed = [at(second, polarity) for second, polarity in sorted(spoken)]
    worse = list(listed)
    target = worse[which % len(worse)]
    worse[which % len(worse)] = at(target.start_ms / 1000, -1, (target.end_ms - target.start_ms) / 1000)
    assert scores(worse, 700_000).mean <= scores(listed, 700_000).mean
