"""Who speaks on a mixed line: the chain of turns, and what the words branch makes of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.bundle.signature import shipped_models
from edge.errors import ModelError
from edge.values import Absence, Absent, Role, Word, WordsReading
from edge.words.branch import WordsJudge
from edge.words.model import WordsModel
from edge.words.speaker import AGENT, OPENS, SWITCH, TABLES, SpeakerModel, Speakers, share_of_customer

# Ours. Agents' sentences are of trades and wordings of their own, none is learnt.
AGENTS = [
    "i'm sorry we don't have any trains arriving by nine fifteen",
    "your booking was successful the reference number is seven four one",
    "is there anything else i can help you with today",
    "how many nights will you be staying with us",
    "there are four restaurants in that area do you have a price range in mind",
    "i've found three hotels would you like me to book one for you",
]
DISPLEASED = [
    "this is the third time i've had to call and nobody can tell me where my parcel is",
    "i have been on hold for an hour and i am sick of it",
    "you promised me a refund in march and i still haven't had a penny",
    "i want to speak to a manager this is an absolute disgrace",
    "i'm closing my account because you never do what you say",
]


def said(text: str) -> list[Word]:
    return [Word(text=word, start=at * 8000, end=(at + 1) * 8000, confidence=0.95) for at, word in enumerate(text.split())]


@pytest.fixture(scope="module")
def judge() -> WordsJudge:
    return WordsJudge.load(shipped_models() / "words")


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_without_words_that_tell_the_turns_alone_speak():
    speakers = Speakers()
    assert speakers.heard(0.0, turn=0) == pytest.approx(OPENS)
    assert speakers.heard(0.0, turn=1) == pytest.approx(OPENS * (1 - SWITCH) + (1 - OPENS) * SWITCH)


def test_utterances_of_one_turn_add_up_and_a_new_turn_may_be_the_others():
    one, two = Speakers(), Speakers()
    first = one.heard(2.0, turn=0)
    assert logit(one.heard(2.0, turn=0)) == pytest.approx(logit(first) + 2.0)
    two.heard(2.0, turn=0)
    assert two.heard(2.0, turn=1) < first


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans()), min_size=1, max_size=60))
def test_a_probability_stays_one_however_sure_the_words_are(heard):
    speakers, turn = Speakers(), 0
    for odds, next_turn in heard:
        turn += next_turn
        assert 0.0 < speakers.heard(odds, turn=turn) < 1.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_likelier_an_agent_the_less_it_counts(one, other):
    low, high = sorted((one, other))
    assert 1.0 >= share_of_customer(low) >= share_of_customer(high) >= 0.0
    assert share_of_customer(AGENT) == 0.0


def test_the_model_adds_up_what_its_tables_hold():
    tables = {name: np.zeros(shape, kind) for name, (shape, kind) in TABLES.items()}
    tables["dense"] = np.array([2.0, -0.5], np.float32)
    model = SpeakerModel(tables)
    assert model.log_odds(["anything", "at", "all"], script=0.0) == pytest.approx(-0.5)
    assert model.log_odds(["how", "may", "i", "help"], script=1.0) == pytest.approx(1.5)
    assert math.isfinite(model.log_odds([], script=0.0))


def test_the_shipped_model_tells_agents_from_displeased_customers(judge):
    agents, customers = ([judge.agent_odds(said(text)) for text in texts] for texts in (AGENTS, DISPLEASED))
    assert min(agents) > max(customers)
    assert judge.agent_odds([]) is None


def test_what_an_agent_says_on_a_mixed_line_scores_nothing(judge):
    speakers = Speakers()
    for turn, (agent, customer) in enumerate(zip(AGENTS, DISPLEASED, strict=False)):
        told = judge.judge(said(agent), Role.MIXED, speakers.heard(judge.agent_odds(said(agent)), turn=2 * turn))
        assert told == Absent(reason=Absence.AGENT)
        told = judge.judge(said(customer), Role.MIXED, speakers.heard(judge.agent_odds(said(customer)), turn=2 * turn + 1))
        assert isinstance(told, WordsReading)
        assert told.label == "negative"
        assert told.evidence.quality > 0.25


def test_a_doubtful_sentence_counts_little_and_is_nobodys_matter(judge):
    text = said("i have been on hold for an hour and nobody called me back about the refund")
    sure, doubtful = judge.judge(text, Role.MIXED), judge.judge(text, Role.MIXED, 0.6)
    assert (doubtful.label, doubtful.p_negative) == (sure.label, sure.p_negative)
    assert doubtful.evidence.quality == pytest.approx(sure.evidence.quality * share_of_customer(0.6))
    assert sure.signals
    assert sure.cause is not None
    assert (doubtful.signals, doubtful.cause, doubtful.spotted) == ((), None, ())


def test_danger_to_somebody_is_told_whoever_says_it_and_counts_for_no_mood(judge):
    told = judge.judge(said("what if i hurt myself tonight"), Role.MIXED, 0.99)
    assert told.signals == ("vulnerable",)
    assert told.evidence.quality == 0.0
    assert (told.label, told.p_negative, told.drivers, told.cause, told.spotted) == ("neutral", 0.0, (), None, ())


@pytest.mark.parametrize("broken", ["words", "scale"])
def test_a_speakers_tables_of_another_shape_are_refused_by_name(tmp_path, broken):
    from edge.words.model import _check

    with np.load(shipped_models() / "words" / "words.npz") as file:
        tables = {name: file[name] for name in file.files}
    tables[f"speaker.{broken}"] = np.zeros(3, np.float32)
    calibration = WordsModel.load(shipped_models() / "words").calibration
    with pytest.raises(ModelError, match=rf"'speaker\.{broken}' is float32"):
        _check(tmp_path / "words.npz", tables, calibration)
