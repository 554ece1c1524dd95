"""Louder than so far: what a caller's loudness may say, and what it may not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.voice.baseline import CallerBaseline, unlearnt
from edge.voice.loudness import OwnLoudness
from edge.voice.prior import shipped_prior
from tests.conversation import voice

PRIOR = shipped_prior()
CENTRE = PRIOR.negative.centre
loudness = st.floats(-60, -3)


def judged(*said: tuple[float, float]) -> list:
    """The differences of one call's utterances: level above the line's centre, and dBFS."""
    caller = CallerBaseline(line=unlearnt(PRIOR), prior=PRIOR)
    return [caller.judge(voice(CENTRE + PRIOR.short_negative / 2 + above, quality=0.9, speech_dbfs=dbfs)) for above, dbfs in said]


def heard(*dbfs: float) -> OwnLoudness:
    own = OwnLoudness()
    for one in dbfs:
        own.remember(one, 0.9, 0.6)
    return own


def test_of_a_caller_who_was_not_heard_before_loudness_says_nothing():
    assert OwnLoudness().louder(-3.0) == 0.0
    assert judged((0.0, -3.0))[0].louder == 0.0


@given(loudness, st.floats(-30, 12))
def test_a_gain_on_the_whole_call_changes_nothing(dbfs, gain):
    steps = (0.0, 2.0, -1.0, 9.0)
    own, moved = (heard(*(base + step for step in steps)) for base in (dbfs, dbfs + gain))
    assert moved.louder(dbfs + gain + 5) == pytest.approx(own.louder(dbfs + 5), abs=1e-9)


@given(st.lists(loudness, min_size=1, max_size=20), loudness, loudness)
def test_louder_never_says_less_and_softer_says_nothing_more(before, one, other):
    own = heard(*before)
    soft, loud = sorted((one, other))
    assert -0.4 <= own.louder(soft) <= own.louder(loud) <= 2.0
    assert own.louder(min(before) - 1) == own.louder(min(before) - 20) < 0


def test_a_raised_voice_stands_out_where_the_net_hears_no_more_than_a_little():
    calm = [(0.0, -26.0)] * 6
    *_, even = judged(*calm, (0.8, -26.0))
    *_, raised = judged(*calm, (0.8, -18.0))
    assert even.p_negative < 0.5 < raised.p_negative
    assert raised.louder == pytest.approx(0.3 * 8 - 0.4, abs=0.6)


@given(st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=20))
def test_calm_callers_scatter_by_a_few_decibels_and_stay_calm(off):
    assert max(one.p_negative for one in judged(*((0.0, -26.0 + one) for one in off))) < 0.5


@pytest.mark.parametrize("before", [3, 10, 40])
def test_a_gain_that_changes_within_a_call_is_what_the_caller_is_used_to_before_long(before):
    after = judged(*[(0.0, -30.0)] * before, *[(0.0, -18.0)] * 30)[before:]
    assert after[0].p_negative > 0.5
    assert after[-1].p_negative < 0.5


def test_who_shouts_on_is_not_calm_after_six_utterances():
    shouting = judged(*[(0.0, -30.0)] * 6, *[(1.0, -18.0)] * 6)[6:]
    assert min(one.p_negative for one in shouting) > 0.5


def test_what_it_adds_is_in_the_event_and_in_the_difference():
    one = judged((0.0, -30.0), (0.0, -20.0))[1]
    assert one.louder > 0
    assert one.difference > 0
    assert math.isclose(one.evidence.negative, one.difference - PRIOR.threshold_negative, abs_tol=1e-9)
