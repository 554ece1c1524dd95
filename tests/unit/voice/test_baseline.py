"""Voice evidence as a difference: what must hold for every caller, every line and every order of calls."""

import json
import math
import re
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.call.record import voice_data
from edge.values import Absence, Absent, VoiceReading
from edge.voice.baseline import DRIFT_NATS, CallerBaseline, Heard, LineBaseline, certainty, learnt, unlearnt
from edge.voice.prior import shipped_prior
from tests.conversation import voice
from tests.paths import ROOT

DOCS = (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8")
PRIOR = shipped_prior()
USED = unlearnt(PRIOR)
CENTRE = PRIOR.negative.centre
levels = st.floats(-6, 6)
qualities = st.floats(0.05, 1)
calls = st.lists(st.lists(st.tuples(st.floats(-8, 8), qualities), min_size=1, max_size=20), min_size=1, max_size=40)


def reading(level: float, *, positive: float = PRIOR.positive.centre, quality: float = 0.9, voiced_ms: int = 2500) -> VoiceReading:
    """An utterance whose level, corrected for its length, is `level`."""
    seconds = voiced_ms / 1000
    heard = voice(level + PRIOR.short_negative / seconds, positive + PRIOR.short_positive / seconds, quality)
    return replace(heard, voiced_ms=voiced_ms)


def judged(*said: VoiceReading, line: LineBaseline = USED) -> list[VoiceReading]:
    caller = CallerBaseline(line=line, prior=PRIOR)
    return [caller.judge(one) for one in said]


def heard(*said: float, quality: float = 0.9) -> list[Heard]:
    return [Heard(negative=level, positive=PRIOR.positive.centre, quality=quality) for level in said]


@given(st.lists(st.tuples(levels, levels, qualities, st.integers(300, 15_000)), min_size=1, max_size=20))
def test_what_an_event_carries_is_enough_to_work_it_out_again(said):
    for one in judged(*(reading(n, positive=p, quality=q, voiced_ms=v) for n, p, q, v in said)):
        assert one.evidence.negative == pytest.approx(one.difference - PRIOR.threshold_negative, abs=1e-9)
        assert one.evidence.positive == pytest.approx(one.difference_positive - PRIOR.threshold_positive, abs=1e-9)
        powers = [math.exp(score) for score in (one.evidence.negative, 0.0, one.evidence.positive)]
        assert [one.p_negative, one.p_neutral, one.p_positive] == pytest.approx([power / sum(powers) for power in powers])


@given(st.lists(levels, min_size=1, max_size=15), st.floats(-5, 5))
def test_a_line_that_is_used_to_it_hears_the_same(said, shift):
    """A level that caller and line share says nothing."""
    level = msgspec.structs.replace(USED.negative, centre=USED.negative.centre + shift)
    moved = judged(*(reading(one + shift) for one in said), line=msgspec.structs.replace(USED, negative=level))
    assert [one.difference for one in moved] == pytest.approx([one.difference for one in judged(*map(reading, said))], abs=1e-3)


@given(levels, levels, st.lists(levels, max_size=8), st.integers(300, 8000))
def test_more_negative_is_never_judged_less_negative(one, other, before, voiced_ms):
    low, high = sorted((one, other))
    *_, less = judged(*map(reading, before), reading(low, voiced_ms=voiced_ms))
    *_, more = judged(*map(reading, before), reading(high, voiced_ms=voiced_ms))
    assert more.p_negative >= less.p_negative
    assert more.difference >= less.difference


@given(st.floats(-4, 1.1), st.lists(st.floats(-0.4, 0.4), min_size=3, max_size=25))
def test_a_calm_caller_is_calm_wherever_their_voice_lies(level, wobble):
    """Within 1.2 nats above the line, a quarter more than calls differ by: above, a wobble of 0.4 nats can pass one half."""
    assert max(one.p_negative for one in judged(*(reading(level + off) for off in wobble))[1:]) < 0.5


@given(st.floats(2.6, 8), st.integers(1, 30))
def test_who_is_angry_from_the_first_word_stays_so(above, utterances):
    """The caller's own level does not become the measure of calm while it lies far above the line's."""
    assert min(one.p_negative for one in judged(*[reading(CENTRE + above)] * utterances)) > 0.5


@given(st.floats(-2, 1.3), st.integers(4, 20))
def test_calm_then_angry_stands_out(level, utterances):
    *calm, angry = judged(*[reading(level)] * utterances, reading(level + 3.5))
    assert angry.p_negative > 0.5
    assert angry.p_negative > max(one.p_negative for one in calm) + 0.3


@given(st.floats(0.1, 8), st.integers(300, 2900), st.integers(50, 5000))
def test_a_longer_utterance_is_believed_more(above, voiced_ms, longer):
    short, long = (judged(reading(CENTRE + above, voiced_ms=ms))[0] for ms in (voiced_ms, voiced_ms + longer))
    assert 0 < short.difference <= long.difference
    assert 0 < certainty(voiced_ms, PRIOR) < 1
    assert certainty(3000, PRIOR) == 1


@pytest.mark.parametrize("nothing", [Absent(reason=Absence.TOO_SHORT), voice(math.nan, 0.0), voice(0.0, math.inf)])
def test_what_is_no_reading_is_handed_on_and_forgotten(nothing):
    caller = CallerBaseline(line=USED, prior=PRIOR)
    assert caller.judge(nothing) is nothing
    assert caller.heard == []


@pytest.mark.takes(1)
@given(calls)
def test_one_call_moves_a_line_by_a_bounded_step(all_calls):
    line = USED
    for call in all_calls:
        after = line.after([Heard(negative=level, positive=level, quality=q) for level, q in call])
        gain = 1 / (line.calls + 6)
        assert -1.5 * gain - 1e-3 <= after.negative.centre - line.negative.centre <= 0.5 * gain + 1e-3
        assert 0.5**gain - 1e-3 <= after.negative.spread / line.negative.spread <= 2**gain + 1e-3
        assert after.calls - line.calls in (0, 1)
        line = after


@pytest.mark.parametrize(("calls_before", "at_most"), [(0, 0.6), (30, 0.2), (400, 0.04)])
def test_an_angry_hour_does_not_become_the_new_calm(calls_before, at_most):
    line = USED
    for _ in range(calls_before):
        line = line.after(heard(*[CENTRE] * 8))
    before = line.negative.centre
    for _ in range(12):
        line = line.after(heard(*[CENTRE + 3.0] * 8))
    assert 0 <= line.negative.centre - before <= at_most
    assert judged(reading(CENTRE + 3.5), line=line)[0].p_negative > 0.5


def test_a_line_gets_used_to_quieter_callers_in_days_and_the_way_up_is_slower():
    down = up = USED
    for _ in range(40):
        down, up = down.after(heard(*[CENTRE - 2] * 8)), up.after(heard(*[CENTRE + 2] * 8))
    assert down.negative.centre == pytest.approx(CENTRE - 2, abs=0.3)
    assert CENTRE + 0.7 < up.negative.centre < CENTRE + 1.5


def test_a_call_with_hardly_any_voice_teaches_nothing():
    assert USED.after(heard(4.0, 4.0)) is USED
    assert USED.after([]) is USED
    assert USED.after(heard(*[4.0] * 20, quality=0.05)) is USED


@given(st.floats(-4, 4).filter(lambda away: abs(away) < DRIFT_NATS or abs(away) > DRIFT_NATS + 2))
def test_drift_is_told_when_the_last_calls_lie_elsewhere(away):
    line = USED
    for _ in range(30):
        line = line.after(heard(*[CENTRE] * 8))
    assert line.drift is None
    for _ in range(12):
        line = line.after(heard(*[CENTRE + away] * 8))
    assert (line.drift is not None) == (abs(away) > DRIFT_NATS)
    assert line.drift is None or line.drift * away > 0


@given(st.floats(-3, 3), st.integers(6, 15), st.data())
def test_what_is_learnt_from_recordings_is_their_middle(level, count, data):
    calm = [heard(*(level + off for off in (-1, -0.5, 0, 0, 0.5, 1))) for _ in range(count)]
    angry = [heard(*[level + 4] * 8)] * data.draw(st.integers(0, count // 3))
    found = learnt(PRIOR, [*calm, *angry])
    assert found.negative.centre == pytest.approx((level * found.calls + CENTRE) / (found.calls + 1), abs=1e-3)
    assert found.calls == count + len(angry)


def test_nothing_to_learn_from_is_the_prior():
    assert learnt(PRIOR, []) == learnt(PRIOR, [heard(1.0), []]) == USED


def test_a_consumer_recomputes_the_voice_from_its_json_alone():
    code = next(block for block in re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL) if "recompute_voice" in block)
    names: dict = {"json": json, "math": math}
    exec(code, names)
    for one in judged(*map(reading, (-3.0, 0.5, 4.0)), reading(1.0, positive=3.0)):
        told = msgspec.json.decode(msgspec.json.encode(voice_data(one)))
        found = names["recompute_voice"](json.dumps(told))
        assert [found["negative"], found["neutral"], found["positive"]] == pytest.approx(
            [told["p_negative"], told["p_neutral"], told["p_positive"]], abs=1e-6
        )
