"""Whether an utterance was understood: the arithmetic of docs/verdict.md, and what it promises."""

import json
import re

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.call.record import intelligibility_data
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Role, Utterance, Word
from edge.words.intelligibility import BEGINNING, BOUND, CallIntelligibility
from edge.words.surprise import service_calls
from tests.paths import ROOT

CALM = "i would like to book a room for two nights please"
# What a recogniser makes of another language.
SALAD = "lesser ray apparel mesa door keep pass the meal east sole"


def said(text: str, confidence: float = 1.0, *, seconds: float | None = None) -> tuple[list[Word], Utterance]:
    """`text`, a third of a second a word unless told otherwise."""
    names = text.split()
    frames = max(1, round((len(names) / 3 if seconds is None else seconds) * SAMPLE_RATE / FRAME_SAMPLES))
    samples = frames * FRAME_SAMPLES
    utterance = Utterance(
        channel=0, role=Role.CUSTOMER, start=0, end=samples, speech_end=samples, pcm=np.zeros(samples, np.int16),
        voiced=np.ones(frames, np.bool_), turn=0,
    )  # fmt: skip
    return [Word(text=name, start=0, end=1, confidence=confidence) for name in names], utterance


def follow(*turns) -> list:
    call = CallIntelligibility()
    return [call.judge(*turn) for turn in turns]


turns = st.tuples(
    st.lists(st.sampled_from([*CALM.split(), *SALAD.split(), "qqqq"]), min_size=1, max_size=30).map(" ".join),
    st.floats(0, 1),
    st.floats(0.02, 20),
).map(lambda made: said(made[0], made[1], seconds=made[2]))


def test_plain_english_is_understood_and_word_salad_that_is_doubted_is_not():
    assert [one.understood for one in follow(said(CALM, 0.9), said(CALM, 0.8))] == [True, True]
    assert not any(one.understood for one in follow(*[said(SALAD, 0.72, seconds=2.2)] * 4)[1:])


def test_a_short_answer_is_believed_of_who_was_understood_and_not_of_who_was_not():
    short = said("yes thanks", 0.6, seconds=0.4)
    assert follow(*[said(CALM, 0.95)] * 3, short)[-1].understood
    assert not follow(*[said(SALAD, 0.7, seconds=2.2)] * 4, short)[-1].understood


def test_a_telephone_that_is_handed_on_is_noticed_within_three_plain_sentences():
    found = follow(*[said(SALAD, 0.7, seconds=2.2)] * 20, *[said(CALM, 0.95)] * 3)
    assert found[-1].understood


def test_no_words_say_nothing_of_it():
    assert follow(([], said("x")[1])) == [None]


@given(st.lists(turns, min_size=1, max_size=8))
def test_an_utterance_is_judged_by_what_came_before_it_alone_and_the_call_never_says_more_than_its_bound(spoken):
    found = follow(*spoken)
    assert found[0].before == BEGINNING
    assert all(abs(one.before) <= BOUND for one in found)
    for count in range(1, len(spoken)):
        assert follow(*spoken[:count]) == found[:count]


@given(turns, st.floats(0, 1))
def test_more_confidence_never_makes_it_less_understood(spoken, more):
    words, utterance = spoken
    surer = [Word(text=word.text, start=0, end=1, confidence=word.confidence + more * (1 - word.confidence)) for word in words]
    assert follow((surer, utterance))[0].log_odds >= follow((words, utterance))[0].log_odds


@given(st.lists(turns, min_size=1, max_size=4))
def test_a_consumer_works_it_out_again_from_the_event_alone(spoken):
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "verdict.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict = {}
    exec("import json, math\n" + next(one for one in code if "recompute_intelligibility" in one), names)
    before = BEGINNING
    for one in follow(*spoken):
        event = json.loads(msgspec.json.encode({"intelligibility": intelligibility_data(one)}))
        assert names["recompute_intelligibility"](json.dumps(event)) == (one.log_odds, one.understood)
        assert one.before == before
        before = round(max(-BOUND, min(BOUND, 0.9 * (one.before + one.log_odds))), 4)


def test_what_service_calls_are_made_of_surprises_less_than_what_nobody_says_on_them():
    costs = service_calls()
    assert costs.surprise(CALM.split()) + 3 < costs.surprise(SALAD.split())
    assert costs.surprise(["qqqq"]) == pytest.approx(15.0)
