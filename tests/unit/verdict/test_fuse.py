"""The verdict: arithmetic, absence, conflict, and the promises of docs/verdict.md."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.call.record import verdict_data
from edge.values import Absence, Absent, Branch, Mode, NoVerdict, Polarity
from edge.verdict.fuse import LOG_PRIOR, clipped, fuse
from tests.conversation import WEIGHTS, voice, words
from tests.paths import ROOT

DOCS = (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8")
ABSENT = Absent(reason=Absence.TOO_SHORT)

llr = st.floats(-30, 30)
quality = st.floats(0, 1)
readings = st.builds(lambda n, p, q: (n, p, q), llr, llr, quality)
_ORDER = {Polarity.NEGATIVE: 0, Polarity.NEUTRAL: 1, Polarity.POSITIVE: 2}


def both(spoken=ABSENT, said=ABSENT, mode=Mode.BOTH):
    return fuse(mode=mode, voice=spoken, words=said, weights=WEIGHTS)


def documented_recompute():
    """The function that docs/verdict.md gives to a consumer."""
    code = re.search(r"```python\n(.*?)```", DOCS, re.DOTALL).group(1)
    names: dict = {}
    exec(code, names)
    return names["recompute"]


@given(readings, readings, st.sampled_from(list(Mode)))
def test_a_consumer_recomputes_the_verdict_from_its_json_alone(spoken, said, mode):
    verdict = both(voice(*spoken), words(*said), mode)
    encoded = msgspec.json.encode(verdict_data(verdict)).decode()
    if verdict.p_negative is None:
        assert verdict.parts == ()
        return
    again = documented_recompute()(encoded)
    told = json.loads(encoded)
    for polarity in ("negative", "neutral", "positive"):
        assert again[polarity] == pytest.approx(told[f"p_{polarity}"], abs=1e-6)
    assert told["polarity"] == pytest.approx(told["p_positive"] - told["p_negative"], abs=1e-6)


@given(readings, readings, st.floats(0, 30), st.sampled_from(list(Mode)), st.booleans())
def test_more_negative_evidence_never_makes_a_verdict_less_negative(spoken, said, more, mode, in_words):
    before = both(voice(*spoken), words(*said), mode)
    if in_words:
        said = (said[0] + more, *said[1:])
    else:
        spoken = (spoken[0] + more, *spoken[1:])
    after = both(voice(*spoken), words(*said), mode)
    if before.p_negative is None:
        return
    assert after.p_negative >= before.p_negative
    assert after.polarity <= before.polarity
    if before.label is not None:
        assert _ORDER[after.label] <= _ORDER[before.label]


@given(readings, readings, st.floats(0, 30))
def test_more_positive_evidence_never_makes_a_verdict_less_positive(spoken, said, more):
    before = both(voice(*spoken), words(*said))
    after = both(voice(*spoken), words(said[0], said[1] + more, said[2]))
    if before.p_positive is not None:
        assert after.p_positive >= before.p_positive
        assert after.polarity >= before.polarity


@given(readings)
def test_an_absent_branch_counts_as_one_that_has_nothing_to_say(said):
    alone = both(ABSENT, words(*said))
    beside_nothing = both(voice(0, 0, 0.8), words(*said))
    if alone.p_negative is not None:
        assert alone.p_negative == pytest.approx(beside_nothing.p_negative, abs=1e-7)


def test_weights_are_not_renormalised_when_the_words_are_missing():
    assert both(voice(3, -1, 1.0)).parts[0].weight == 0.4


def test_a_mode_of_one_branch_takes_it_at_its_word_and_ignores_the_other():
    verdict = both(voice(3, -1, 1.0), words(-3, 3, 1.0), Mode.VOICE)
    assert [(part.branch, part.weight) for part in verdict.parts] == [("voice", 1.0)]
    assert verdict.label is Polarity.NEGATIVE


def test_no_evidence_is_an_absence_with_reasons_and_never_neutral():
    verdict = both(Absent(reason=Absence.TOO_SHORT), Absent(reason=Absence.NO_WORDS))
    assert verdict.label is None
    assert verdict.p_neutral is None
    assert verdict.polarity is None
    assert verdict.reason is NoVerdict.NO_EVIDENCE
    assert verdict.absent == {Branch.VOICE: Absence.TOO_SHORT, Branch.WORDS: Absence.NO_WORDS}


def test_in_one_branch_mode_only_its_own_absence_is_the_reason():
    assert both(Absent(reason=Absence.MODE), Absent(reason=Absence.NO_WORDS), Mode.WORDS).absent == {Branch.WORDS: Absence.NO_WORDS}


def test_the_branch_that_is_missing_in_a_verdict_of_the_other_is_named_too():
    verdict = both(Absent(reason=Absence.TOO_QUIET), words(3, -1))
    assert (verdict.label, verdict.reason, verdict.absent) == (Polarity.NEGATIVE, None, {Branch.VOICE: Absence.TOO_QUIET})


def test_evidence_too_weak_to_decide_withholds_the_label_and_keeps_the_probabilities():
    verdict = both(voice(4, 0, 0.2))
    assert verdict.label is None
    assert verdict.reason is NoVerdict.WEAK_EVIDENCE
    assert verdict.p_negative is not None


def test_a_branch_that_could_hardly_hear_is_left_out_and_named():
    assert both(voice(4, 0, 0.01), ABSENT).absent == {Branch.VOICE: Absence.POOR_QUALITY, Branch.WORDS: Absence.TOO_SHORT}


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_never_reaches_the_verdict(wrong):
    verdict = both(voice(wrong, 0, 0.9), words(2, 0, 0.9))
    assert [part.branch for part in verdict.parts] == ["words"]


def test_facts_stay_neutral():
    assert both(said=words(0, 0)).label is Polarity.NEUTRAL


@pytest.mark.parametrize(("spoken", "said", "conflict"), [((3, -1), (-1, 3), True), ((3, -1), (3, -1), False), ((3, -1), (0, 0), False)])
def test_conflict_is_branches_on_clearly_different_sides(spoken, said, conflict):
    assert both(voice(*spoken), words(*said)).conflict is conflict


def test_a_branch_that_heard_badly_conflicts_with_nobody():
    assert not both(voice(3, -1, 0.4), words(-1, 3)).conflict


def test_a_tie_goes_to_neutral_then_to_negative():
    level = LOG_PRIOR["neutral"] - LOG_PRIOR["negative"]
    assert both(said=words(level, level, 1.0)).label is Polarity.NEUTRAL
    assert both(said=words(2, 2, 1.0)).label is Polarity.NEGATIVE


def test_evidence_beyond_the_clip_changes_nothing():
    assert both(said=words(4, -4, 1.0)).p_negative == both(said=words(40, -40, 1.0)).p_negative
    assert both(said=words(4, 0, 1.0)).p_neutral == pytest.approx(both(said=words(40, 36, 1.0)).p_neutral)


@given(st.floats(0.5, 8), st.floats(1.2, 8))
def test_words_clearly_on_one_side_stay_there_however_strong_both_sides_are(less, difference):
    verdict = both(voice(0, -1.6, 1.0), words(less, less + difference, 0.95))
    assert verdict.label is Polarity.POSITIVE
    assert both(voice(-1.6, 0, 1.0), words(less + difference, less, 0.95)).label is Polarity.NEGATIVE


def test_the_voice_alone_cannot_be_as_sure_as_the_words():
    assert both(voice(4, -4, 1.0)).p_negative < 0.75 < both(said=words(4, -4, 1.0)).p_negative


@given(llr, llr, st.floats(0.5, 8))
def test_clipping_keeps_the_difference_between_classes_and_bounds_each(negative, positive, limit):
    low, high = clipped(negative, positive, limit)
    assert max(abs(low), abs(high)) <= limit + 1e-9
    if min(negative, positive) - (max(negative, positive, limit) - limit) >= -limit:
        assert high - low == pytest.approx(positive - negative)
