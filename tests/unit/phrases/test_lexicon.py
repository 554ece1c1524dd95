"""The service-call overlay knows complaints that VADER does not, and lets manners and scripts carry no feeling."""

from pathlib import Path
from time import thread_time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.phrases.agent import agent_phrases
from edge.phrases.automaton import PatternIndex
from edge.phrases.lexicon import FEATURES, Lexicon
from edge.phrases.lexicon_file import CATEGORIES, SHIPPED
from edge.phrases.pattern import Pattern
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


AGENT = [
    "how can i help you today",
    "how may i assist you",
    "how may i direct your call",
    "is there anything else i can help you with today",
    "is there anything else i can do for you",
    "can i help you with anything else",
    "thank you for your patience",
    "thank you so much for your patience",
    "thank you for holding",
    "thanks for holding",
    "i'm sorry to hear that",
    "i am so sorry to hear that",
    "i'm sorry about that",
    "i do apologize for the inconvenience",
    "i apologize for the inconvenience this has caused you",
    "we apologize for any inconvenience",
    "i sincerely apologize",
    "sorry for the inconvenience",
    "i understand your frustration",
    "i completely understand how you feel",
    "i understand how frustrating this must be",
    "i can certainly help you with that",
    "i'd be happy to help you with that",
    "i would be more than happy to assist you",
    "i'll be glad to help you",
    "let me look into that for you",
    "let me check that for you",
    "let me see what i can do for you",
    "let me pull up your account",
    "please hold while i check",
    "may i put you on hold for a moment",
    "do you mind holding for a minute",
    "please bear with me",
    "bear with me one moment",
    "one moment please",
    "may i have your account number please",
    "can you confirm your postcode for me please",
    "could you please verify your address",
    "this call may be recorded for quality and training purposes",
    "your call is important to us",
    "all our agents are busy at the moment",
    "you are through to billing",
    "you're speaking with john",
    "have a great day",
    "have a wonderful rest of your day",
    "thank you for being a valued customer",
    "thank you for your loyalty",
    "we appreciate your business",
    "we really value your feedback",
    "you're welcome",
    "you are most welcome",
    "no problem happy to help",
    "my pleasure",
    "it was a pleasure speaking with you",
    "i'm going to transfer you to the right department",
    "i will transfer you now",
    "i'll put you through to my supervisor",
    "i've raised a complaint for you",
    "i have gone ahead and processed your refund",
    "your refund will take three to five working days",
    "is that okay with you",
    "does that sound good",
    "great i've updated that for you",
    "perfect thank you for confirming that",
    "excellent thank you for that information",
    "thank you for bringing this to our attention",
    "i appreciate your understanding",
    "rest assured we will resolve this for you",
    "i assure you that we will do our best",
    "i'd like to apologise on behalf of the company",
    "what seems to be the problem today",
    "is there anything else i can help with",
    "how would you like to proceed",
    "would you be willing to take a short survey",
]


@pytest.mark.parametrize("phrase", AGENT)
@pytest.mark.parametrize(
    "words", ["my internet has been down since monday", "that is brilliant thank you so much", "i moved house in june"]
)
def test_agent_script_never_raises_or_lowers_a_customers_score(phrase, words):
    own, script = words.split(), phrase.split()
    alone = LEXICON.act(LEXICON.without_agent(own))
    for said in (script + own, own + script):
        assert LEXICON.act(LEXICON.without_agent(said)).score == pytest.approx(alone.score)
    assert LEXICON.act(LEXICON.without_agent(script)).score == 0.0


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


def site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_adds_replaces_and_removes_entries(tmp_path):
    path = site(
        tmp_path,
        """
version: leeds-3
groups:
  - category: broken
    rated_by: leeds team
    why: our customers say wobbly for a line that drops
    entries: {wobbly: -2.5, on hold: -0.5}
remove: [fed up]
""",
    )
    lexicon = Lexicon.load(path)
    assert lexicon.version == "1+leeds-3"
    assert lexicon.act(["the", "line", "is", "wobbly"]).score < -0.4
    assert lexicon.act(["on", "hold"]).negative == -0.5
    assert not lexicon.act(["fed", "up"]).entries
    assert lexicon.explain("wobbly")[1] == "leeds team"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("version: a\ngroups: [{category: brokn, rated_by: x, why: y, entries: {a: 1}}]", ["groups[0].category", "brokn", "broken"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {'a <unti>': -1}}]", ["a <unti>", "<unit>"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {wobbly: -9}}]", ["wobbly", "-4"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {no: -1}}]", ["quote"]),
        ("version: a\nremove: [no such entry]", ["remove", "no such entry"]),
        ("version: a\ngruops: []", ["gruops", "groups"]),
        ("groups: []", ["version"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {'~ hold': -1}}]", ["~", "begin"]),
        ("version: a\ngroups: [{category: broken, rated_by: x, why: y, entries: {Wobbly: -1}}]", ["Wobbly", "lower-case"]),
    ],
)
def test_a_wrong_site_file_is_refused_in_one_line_that_names_the_key_and_the_remedy(tmp_path, text, names):
    path = site(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        Lexicon.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for name in names:
        assert name in message


# --- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("on hold", "i am on hold now", (2, 4)),
        ("call|ring me", "please ring me", (1, 3)),
        ("please? help", "do help", (1, 2)),
        ("please? help", "do please help", (1, 3)),
        ("nobody ~ called", "nobody there has called", (0, 4)),
        ("nobody ~ called", "nobody in the whole wide company called", None),
        ("waiting _ hours", "waiting two hours", (0, 3)),
        ("my cancel*", "my cancellation", (0, 2)),
        ("<number> <unit> late", "it came a couple of hours late", (2, 7)),
        ("on hold", "upon holding", None),
    ],
)
def test_a_pattern_finds_what_it_says(pattern, text, found):
    classes = {"unit": ["hours", "days"]}
    matches = PatternIndex([Pattern.parse(pattern, classes)]).find(text.split())
    assert [(match.start, match.end) for match in matches] == ([found] if found else [])


def test_a_word_that_two_lines_come_to_at_once_leads_both_where_it_should():
    index = PatternIndex([Pattern.parse("my complain* today", {})])
    before = index._root.moves["my"]
    state = index._worked_out(index._root, "my", before)
    # Both have looked before either has remembered.
    for nodes in (state.other, state.other):
        index._worked_out(state, "complaint", nodes)
    assert [(match.start, match.end) for match in index.find(["my", "complaint", "today"])] == [(0, 3)]
