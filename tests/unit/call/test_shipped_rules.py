"""The shipped rules: each on its story, and what raises nothing."""

import pytest

from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.rule_set import load_rules
from tests.conversation import ANGRY, CALM, NOON, PLEASED, SHOUTING, UNHEARD, Conversation, words

STORIES = {
    "sustained-anger": lambda call: call.customer(ANGRY).agent().customer(ANGRY).agent().customer(ANGRY),
    "retention-risk": lambda call: call.customer(words(1, 0, cause="retention")),
    "regulator-threat": lambda call: call.customer(words(1, 0, cause="legal_or_regulator")),
    "dead-air-after-complaint": lambda call: call.customer(ANGRY).quiet(14).agent(),
    "repeat-caller": lambda call: call.customer(words(3, 0, signals=("called_before",))),
    "vulnerable": lambda call: call.customer(words(0, 0, signals=("vulnerable",))),
    "sharp-fall": lambda call: [call.customer(said).agent(6) for said in (PLEASED, PLEASED, PLEASED, CALM, CALM, ANGRY, ANGRY)],
}


def test_every_shipped_rule_has_its_story():
    assert {rule.id for rule in load_rules(None).rules} == set(STORIES)


@pytest.mark.parametrize("rule", STORIES)
def test_each_shipped_rule_fires_on_its_story(rule):
    call = Conversation()
    STORIES[rule](call)
    assert rule in call.found


def test_a_legal_threat_is_told_however_calmly_it_is_said():
    (alert,) = Conversation().customer(words(-2, -1, signals=("legal_threat",))).alerts
    assert (alert.route, alert.severity, alert.reasons[0].rule) == ("legal", "critical", "regulator-threat")


@pytest.mark.parametrize("signal", ["waiting", "repeat", "conduct", "irony", "anger"])
def test_one_very_displeased_sentence_pages_where_its_words_are_of_anger(signal):
    def told(p_negative, *signals):
        return Conversation().customer(CALM).customer(words(p_negative, 0, signals=signals)).reason("sustained-anger")

    assert told(4, signal) != []
    assert told(4) == []
    # Said of a mere matter, too.
    assert told(4, "broken", "unmet", "money", "threat") == []
    assert told(0.5, signal) == []


@pytest.mark.parametrize("order", [(4, 1.5), (1.5, 4)], ids=["the worst first", "the worst last"])
def test_one_very_displeased_sentence_pages_where_another_is_displeased_within_a_minute(order):
    def told(*negative, apart=0):
        call = Conversation().customer(CALM)
        for p_negative in negative:
            call.customer(words(p_negative, 0)).agent(apart or 4)
        return call.reason("sustained-anger")

    assert told(*order) != []
    assert told(*order, apart=70) == []
    # One alone, or two that are only doubtful, say too little.
    assert told(max(order), -1) == []
    assert told(min(order), min(order)) == []


def test_a_calm_call_raises_nothing():
    call = Conversation()
    for said in (CALM, PLEASED, CALM, UNHEARD, words(0.3, 0), PLEASED):
        call.customer(said).agent().quiet(4)
    assert call.over().alerts == []


@pytest.mark.parametrize(
    "said",
    [words(-2, 3, signals=("called_before",)), words(-1, -1, signals=("called_before",)), words(3, 0, signals=("repeat",))],
    ids=["called twice to say thanks", "told calmly", "counted something else"],
)
def test_calling_again_is_a_finding_only_where_it_is_said_unhappily_of_calls(said):
    assert Conversation().customer(said).agent(12).customer(CALM).over().reason("repeat-caller") == []


@pytest.mark.parametrize(
    "said", [words(-2, 3, signals=("vulnerable",)), words(0, 0, 0.1, signals=("vulnerable",))], ids=["cheerful", "unclear"]
)
def test_who_may_be_in_danger_is_told_at_once_to_a_route_of_its_own_whatever_the_sentiment_and_the_hour(said):
    history = AlertHistory()
    for n in range(50):
        history.opened(NOON, f"call-{n}", "other", None)
    (alert,) = Conversation(alert_history=history).customer(said).alerts
    assert (alert.route, alert.severity, alert.state) == ("vulnerable", "critical", "new")


def test_a_furious_agent_with_a_calm_customer_raises_nothing():
    call = Conversation(line={"agent_words": True})
    for _ in range(8):
        call.agent(
            said=words(5, -3, cause="retention", signals=("threat", "called_before", "vulnerable")), sounds=SHOUTING, level_dbfs=-5.0
        ).customer(CALM)
    assert call.over().alerts == []
    assert all(one.voice is None and one.verdict is None for one in call.utterances if one.role == "agent")
