"""Displeasure, not problems: the shipped model on sentences of ours that it never learnt from."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="scipy is not installed (`make setup`)")

from convert.words.corpus import LABELS
from convert.words.held_out import held_figures, held_out
from convert.words.printed import judged
from convert.words.sets import read_pairs, read_said
from edge.bundle.signature import shipped_models
from edge.values import Polarity
from edge.words.branch import WordsJudge
from edge.words.combine import WHOLE


@pytest.fixture(scope="module")
def judge() -> WordsJudge:
    return WordsJudge.load(shipped_models() / "words")


@pytest.mark.takes(2)
def test_held_out_pairs_are_told_apart(judge):
    held = held_out(read_pairs(), read_said(), ())
    said, p_negative = judged(judge, held.texts)
    found = held_figures(np.stack([p_negative, 1 - p_negative, np.zeros(len(said))], axis=1), said, held)
    assert found["pairs"] >= 100
    assert found["calm_negative"] <= 0.10
    assert found["displeased_missed"] <= 0.12
    assert found["ranked"] >= 0.97


@pytest.mark.parametrize(
    ("calm", "displeased"),
    [
        (
            "my card was declined twice this morning",
            "my card was declined twice this morning and nobody there can be bothered to tell me why",
        ),
        ("i'd like to close my account", "i've had enough of you close my account"),
        ("my wife died in february and i'm calling about the policy", "my wife died in february and you still write to her it's heartless"),
        ("my bag was stolen on the train", "my bag was stolen and your staff just shrugged it's a disgrace"),
        ("i've been a customer for twenty years", "twenty years a customer and this is how you treat me"),
        ("no that was going to be it", "no that is not good enough"),
    ],
)
def test_one_matter_told_twice(judge, calm, displeased):
    calmly, angrily = judge.judge_text(calm), judge.judge_text(displeased)
    assert calmly.label is not Polarity.NEGATIVE
    assert angrily.label is Polarity.NEGATIVE
    assert angrily.p_negative > calmly.p_negative


@pytest.mark.parametrize("text", ["it couldn't have gone better", "i can't thank you enough", "you have been wonderful thank you"])
def test_praise_in_the_negative_is_praise(judge, text):
    assert judge.judge_text(text).label is Polarity.POSITIVE


@pytest.mark.parametrize("text", ["thanks for nothing", "great another hour on hold", "thanks for wasting my time"])
def test_irony_is_no_praise(judge, text):
    assert judge.judge_text(text).label is Polarity.NEGATIVE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("my router has stopped working since monday", "fault"),
        ("my parcel has not arrived yet", "delivery"),
        ("i can't log in to my account", "access_login"),
    ],
)
def test_a_matter_told_calmly_is_neutral_and_has_its_cause(judge, text, code):
    reading = judge.judge_text(text)
    assert reading.label is Polarity.NEUTRAL
    assert reading.cause is not None
    assert reading.cause.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("i'll see you in court", "legal_or_regulator"),
        ("my lawyer will be in touch", "legal_or_regulator"),
        ("if this is not sorted today i am going to the ombudsman", "legal_or_regulator"),
        ("sort it out or i'm switching supplier", "retention"),
        ("i am leaving you for another company", "retention"),
    ],
)
def test_a_threat_in_plain_words_is_displeasure_however_calm(judge, text, code):
    reading = judge.judge_text(text)
    assert reading.label is Polarity.NEGATIVE
    assert reading.cause.code == code


@pytest.mark.parametrize("text", ["i've spoken to the police and i have a crime number", "my solicitor's dealing with the probate"])
def test_to_name_the_police_or_a_solicitor_is_no_threat(judge, text):
    assert judge.judge_text(text).label is Polarity.NEUTRAL


@pytest.mark.parametrize("text", ["i'd like to cancel my subscription please", "my solicitor needs the deeds", "what time do you close"])
def test_a_mood_that_is_not_there_is_no_cause(judge, text):
    assert judge.judge_text(text).cause is None


def test_what_the_net_added_is_among_the_reasons(judge):
    drivers = judge.judge_text("thanks for nothing").drivers
    (whole,) = [driver for driver in drivers if driver.name == WHOLE]
    assert whole.weight < 0


def test_labels_are_those_of_the_corpus():
    assert tuple(str(label) for label in (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)) == LABELS
