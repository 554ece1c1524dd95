"""Phrases that rules ask for by group: who may be in danger, who has called before. Told from what only sounds like it."""

import pytest

from edge.phrases.groups import PhraseGroups
from edge.phrases.tokens import tokenize

GROUPS = PhraseGroups.load()

IN_DANGER = (
    "what if i hurt myself", "sometimes i think of killing myself", "i don't want to live any more", "i just want to die",
    "i am thinking about suicide", "i feel suicidal", "they would be better off without me", "i took an overdose last night",
    "i'm going to kill him", "i swear i'll hurt somebody", "he's got a knife", "i'm gonna burn the place down",
    "he hits me when he drinks", "i am afraid of my husband", "i'm scared for my life", "she's in danger",
    "i can smell gas in the kitchen", "there is a gas leak", "the carbon monoxide alarm is going", "he isn't breathing",
    "i can't breathe", "she has chest pains", "he won't wake up",
)  # fmt: skip
NO_DANGER = (
    "this is killing me", "it beats me why", "you are killing my business", "i could have died laughing", "my phone died",
    "the line went dead", "i want to end my contract", "my father died last month", "the battery is dead", "it hurts my credit rating",
    "i was at gun lane", "that suits my own life", "i don't want to live in leeds", "the gas bill is too high", "we had a heart to heart",
    "i like suicide squad", "i don't want to kill time",
)  # fmt: skip
CALLED_BEFORE = (
    "this is the third time i have called about this", "it's the second time i'm calling", "i called you twice already",
    "i called last week and nobody got back to me", "i rang on monday about this and nothing happened", "i've called three times about it",
    "i have already spoken to two of your colleagues about it", "i keep calling and nobody helps", "every time i call i get somebody else",
    "this is my fourth call", "i had to call back twice", "nobody called me back", "i've been calling you for weeks about that before",
    "this is the third time i am calling about the same problem", "last time i called they said it was done", "we emailed you four times",
)  # fmt: skip
NOT_CALLED_BEFORE = (
    "the second one please", "this is the first time i am calling", "it happened twice", "three times a week", "once again thank you",
    "every time i open the app it crashes", "i've been on hold for an hour", "she called me a minute ago", "called twice to say thank you",
    "i ordered it last week", "can you call me back", "the third person in the party", "i will call again tomorrow",
    "it is my second order",
)  # fmt: skip

LEGAL = (
    "my lawyer will be in touch", "you will hear from my solicitor", "i will take you to court", "i'm going to sue you",
    "i am taking legal action", "then i will go to the ombudsman", "i'll report you to trading standards", "i am calling the police",
    "i spoke to the bank and i will get a lawyer", "i'm going to the press",
)  # fmt: skip
NOT_LEGAL = (
    "press three for a company directory", "press for for an operator", "for accounting and other receivables press three",
    "is there a tennis court nearby", "what is the legal age", "can i go to the front desk", "my lawyer's office is the billing address",
    "the police station is the next stop", "take me to the court hotel",
)  # fmt: skip


@pytest.mark.parametrize("text", LEGAL)
def test_a_legal_threat_is_heard_however_calmly_it_is_said(text):
    assert "legal_threat" in GROUPS.heard(tokenize(text))


@pytest.mark.parametrize("text", NOT_LEGAL)
def test_a_court_or_a_menu_is_no_threat(text):
    assert "legal_threat" not in GROUPS.heard(tokenize(text))


@pytest.mark.parametrize("text", IN_DANGER)
def test_who_may_be_in_danger_is_heard(text):
    assert "vulnerable" in GROUPS.heard(tokenize(text))


@pytest.mark.parametrize("text", NO_DANGER)
def test_a_figure_of_speech_or_a_matter_is_no_danger(text):
    assert "vulnerable" not in GROUPS.heard(tokenize(text))


@pytest.mark.parametrize("text", CALLED_BEFORE)
def test_that_they_called_before_is_heard(text):
    assert "called_before" in GROUPS.heard(tokenize(text))


@pytest.mark.parametrize("text", NOT_CALLED_BEFORE)
def test_counting_something_else_is_no_call_before(text):
    assert "called_before" not in GROUPS.heard(tokenize(text))
