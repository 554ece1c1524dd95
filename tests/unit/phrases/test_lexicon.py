"""The service-call overlay knows complaints that VADER does not, and lets manners and scripts carry no feeling."""

from time import thread_time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.phrases.agent import agent_phrases
from edge.phrases.lexicon import FEATURES, Lexicon
from edge.phrases.lexicon_file import CATEGORIES, SHIPPED
from tests.paths import TESTS

DEV = TESTS / "words" / "service-dev.yaml"
LEXICON = Lexicon.load()


def score(text: str) -> float:
    return LEXICON.act(text.split()).score


@pytest.mark.parametrize(
    "text",
    [
        "i have been waiting for forty minutes and nobody called me back",
        "please call me back the line hung up on me twice",
        "i'd like to close my account",
        "great another hour on hold",
        "this is the third time i have called about it",
        "my internet has been down since monday",
        "i'm going to the ombudsman",
        "i want to speak to a supervisor",
        "you said it would be here on tuesday",
        "i was overcharged",
        "thanks for nothing",
        "it keeps dropping",
        "where is my refund",
        "no i have been on hold for an hour",
        "thank you but it still doesn't work",
    ],
)
def test_a_complaint_is_negative_without_any_word_that_vader_knows(text):
    assert score(text) < -0.2


@pytest.mark.parametrize(
    "text",
    [
        "how may i help you",
        "thank you for calling",
        "no thank you that's all",
        "yes please",
        "can you help me please",
        "i'd like to change my address please",
        "what is the interest rate on the savings account",
        "my credit card ends in",
        "good morning",
    ],
)
def test_courtesy_and_plain_asking_are_neutral_and_hidden_from_vader(text):
    acted = LEXICON.act(text.split())
    assert abs(acted.score) < 0.15
    assert acted.masked


@pytest.mark.parametrize(
    "text",
    [
        "that is sorted thank you so much",
        "brilliant thank you so much",
        "what a relief",
        "i can't fault the service",
        "no complaints at all",
    ],
)
def test_relief_and_praise_are_positive(text):
    assert score(text) > 0.3


def test_negation_turns_praise_and_silences_complaint():
    assert score("it is brilliant") > 0 > score("it is not brilliant")
    assert score("i am not going to cancel my contract") > score("i am going to cancel my contract")


def test_a_number_slot_takes_any_number():
    for number in ("two", "forty five", "one hundred and twenty", "a couple of"):
        entries = LEXICON.act(f"on hold for {number} hours".split()).entries
        assert [entry.name for entry in entries] == ["on hold for <number> <unit>"], number


def test_the_longest_entry_wins_and_positions_are_of_the_sentence():
    (entry,) = LEXICON.act(["i", "was", "put", "on", "hold"]).entries
    assert (entry.name, entry.start, entry.end) == ("put|putting|puts me|us on hold", 2, 5) or (entry.name, entry.start, entry.end) == (
        "on hold",
        3,
        5,
    )


def test_features_and_signals_name_what_spoke():
    acted = LEXICON.act(
        ["for", "the", "third", "time", "nobody", "called", "me", "back", "please", "i", "will", "go", "to", "the", "ombudsman"]
    )
    features = dict(zip(FEATURES, acted.features(), strict=True))
    assert features["repeat"] == features["unmet"] == features["threat"] == 1
    assert features["negative"] < -1
    assert set(acted.signals) == {"repeat", "unmet", "threat"}


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "i",
                "waiting",
                "on",
                "hold",
                "not",
                "but",
                "great",
                "thank",
                "you",
                "for",
                "calling",
                "two",
                "hours",
                "call",
                "me",
                "back",
                "please",
                "no",
                "the",
                "never",
            ]
        ),
        max_size=14,
    )
)
def test_any_words_are_taken_and_masks_lie_inside(tokens):
    acted = LEXICON.act(tokens)
    assert -1 < acted.score < 1
    assert all(0 <= position < len(tokens) for position in acted.masked)
    assert acted.negative <= 0 <= acted.positive
    assert len(acted.features()) == len(FEATURES)


def test_the_dev_half_of_the_service_sentences_is_judged_well():
    rows = yaml.safe_load(DEV.read_text(encoding="utf-8"))
    right = 0
    for row in rows:
        value = score(row["text"])
        label = "negative" if value < -0.15 else "positive" if value > 0.25 else "neutral"
        # The lexicon rates what is told, in whatever mood: a matter told calmly is neutral to the words model, not to it.
        right += label == ("negative" if "cause" in row else row["label"])
    # Tuned on: no figure of merit, a guard against breaking it. 156 of 167 when this was written.
    assert right / len(rows) > 0.9


def test_a_sentence_takes_less_than_a_fifth_of_a_millisecond():
    rows = [row["text"].split() for row in yaml.safe_load(DEV.read_text(encoding="utf-8"))]
    best = min(_time(rows) for _ in range(5))
    assert best / len(rows) < 200e-6


def _time(rows: list[list[str]]) -> float:
    began = thread_time()
    for row in rows:
        LEXICON.act(row)
    return thread_time() - began


def test_each_entry_says_who_rated_it_and_why():
    for group in yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["groups"]:
        assert group["rated_by"]
        assert len(group["why"]) > 20
        assert group["category"] in CATEGORIES
    assert LEXICON.explain("on hold")[1:] == ("undertone", LEXICON.explain("on hold")[2])


def test_no_entry_hides_a_typing_error_of_class_or_number():
    for text in (*agent_phrases().phrases, *agent_phrases().answering):
        assert text == text.lower()


# --- a site's own file ------------------------------------------------------------------------------------------------
