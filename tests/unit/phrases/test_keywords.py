"""A configured phrase is found in recognised speech through fillers and one misheard word, and nothing else is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config import KeywordConfig
from edge.phrases.keywords import KeywordSpotter
from edge.values import Word

SPOTTER = KeywordSpotter(
    [
        KeywordConfig(name="leaving", phrases=("close my account", "cancel")),
        KeywordConfig(name="manager", phrases=("speak to a manager",)),
        KeywordConfig(name="rival", phrases=("acme broadband",)),
    ]
)


def heard(text: str, confidence: float = 0.9) -> list[Word]:
    """Words of 0.1 s, one after the other."""
    return [Word(text=word, start=i * 1600, end=(i + 1) * 1600, confidence=confidence) for i, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("text", "keyword", "place"),
    [
        ("i want to close my account now", "leaving", (3, 6)),
        ("i want to close um my uh account", "leaving", (3, 8)),
        ("clothes my account", "leaving", (0, 3)),
        ("close the account", "leaving", (0, 3)),
        ("close account", "leaving", (0, 2)),
        ("close my old account", "leaving", (0, 4)),
        ("let me speak to the manager", "manager", (2, 6)),
        ("cancel it", "leaving", (0, 1)),
        ("i heard acme broadband is better", "rival", (2, 4)),
    ],
)
def test_a_phrase_is_found_through_fillers_and_one_wrong_word(text, keyword, place):
    (spotted,) = SPOTTER.spot(heard(text))
    assert spotted.keyword == keyword
    assert (spotted.start, spotted.end) == (place[0] * 1600, place[1] * 1600)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "close my window",
        "so my account is fine",
        "a manager",
        "acme fireworks",
        "speak up",
        "to a",
        "the account",
        "council",
        "my my my",
    ],
)
def test_what_only_resembles_a_phrase_is_not_found(text):
    assert SPOTTER.spot(heard(text)) == ()


def test_a_phrase_of_two_words_takes_no_error():
    assert SPOTTER.spot(heard("acne broadband")) == ()


def test_confidence_is_the_mean_of_the_phrases_words_and_falls_with_an_error():
    (whole,) = SPOTTER.spot(heard("close my account", 0.8))
    (wrong,) = SPOTTER.spot(heard("close the account", 0.8))
    assert whole.confidence == pytest.approx(0.8)
    assert wrong.confidence == pytest.approx(0.8 * 2 / 3)


def test_a_doubted_word_may_be_the_missing_one():
    words = heard("close my")
    assert SPOTTER.spot([*words, Word(text="window", start=3200, end=4800, confidence=0.95)]) == ()
    assert SPOTTER.spot([*words, Word(text="count", start=3200, end=4800, confidence=0.3)])


def test_each_time_it_is_said_is_found_once_and_in_order():
    spotted = SPOTTER.spot(heard("cancel it i said cancel and let me speak to a manager"))
    assert [(s.keyword, s.start // 1600) for s in spotted] == [("leaving", 0), ("leaving", 4), ("manager", 8)]


def test_no_keywords_find_nothing():
    assert KeywordSpotter([]).spot(heard("close my account")) == ()


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["close", "my", "account", "um", "uh", "cancel", "speak", "to", "a", "manager", "the"]), max_size=12),
    st.floats(min_value=0, max_value=1),
)
def test_whatever_is_heard_confidence_is_a_probability_and_places_are_inside(words, confidence):
    for spotted in SPOTTER.spot(heard(" ".join(words), confidence)):
        assert 0 <= spotted.confidence <= 1
        assert 0 <= spotted.start < spotted.end <= len(words) * 1600
