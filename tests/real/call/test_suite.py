"""Scripted calls from sound to alerts, with the shipped models and rules. `python -m tests.calls.alerts` takes all of them."""

from functools import cache

import pytest

from edge.asr.vosk_model import find_vosk
from edge.config import Config
from tests.calls.alerts import REALTIME, counts
from tests.calls.measure import suite
from tests.calls.told import Told, agents_judged, comparable, differences, invalid, nobodys, tell
from tests.calls.voices import MISSING

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"no speech synthesis here: install {' and '.join(MISSING)}"),
    pytest.mark.skipif(find_vosk(Config()) is None, reason="no speech recogniser here: run `undertone fetch-model`"),
]

# The shortest calls for each rule, and those for what must raise nothing.
BY_RULE = {
    "sustained-anger": "anger_about_a_repair",
    "retention-risk": "retention",
    "regulator-threat": "regulator",
    "dead-air-after-complaint": "complaint_then_silence",
    "repeat-caller": "third_call",
    "sharp-fall": "sharp_fall",
    "vulnerable": "somebody_in_danger",
}
QUIET = ("calm_bill", "furious_agent_calm_customer", "agent_alone_with_sidetone", "mixed_line", "not_in_service")
CALLS = (*BY_RULE.values(), *QUIET)


@cache
def told(name: str) -> Told:
    return tell(name)


def test_every_shipped_rule_has_a_call_that_must_raise_it():
    assert set(counts([])) == set(BY_RULE)
    assert all(rule in suite()[name]["expect"]["alerts"] for rule, name in BY_RULE.items())


@pytest.mark.parametrize("name", CALLS)
def test_a_call_raises_the_alerts_that_its_script_expects_and_no_other(name):
    expect, opened = suite()[name]["expect"], told(name).opened
    assert set(expect["alerts"]) <= set(opened) <= {*expect["alerts"], *expect.get("may", [])}
    assert set(opened.values()) <= {1}


@pytest.mark.parametrize("name", CALLS)
def test_every_event_obeys_its_schema_and_every_verdict_can_be_recomputed_from_its_json(name):
    assert invalid(told(name)) == []
    assert max(differences(told(name)), default=0.0) <= 1e-6


@pytest.mark.parametrize("name", CALLS)
def test_nobody_but_the_customer_is_judged_and_nothing_but_a_customer_makes_a_customers_utterance(name):
    assert agents_judged(told(name)) == 0
    assert nobodys(told(name)) == 0


@pytest.mark.parametrize(
    ("name", "rule", "cause"), [("regulator", "regulator-threat", "legal_or_regulator"), ("retention", "retention-risk", "retention")]
)
def test_an_alert_is_about_the_cause_that_its_rule_asked_for(name, rule, cause):
    alerts = [reason for alert in told(name).data("alert") for reason in alert["reasons"] if reason["rule"] == rule]
    assert {alert["cause"] for alert in alerts} == {cause}
    assert all(alert["evidence"] and alert["drivers"] for alert in alerts)


@pytest.mark.parametrize("name", BY_RULE.values())
def test_a_call_pages_one_team_once_and_again_only_where_severity_rose(name):
    alerts = told(name).data("alert")
    assert len({alert["alert"] for alert in alerts}) == 1
    assert told(name).paged == len({alert["severity_level"] for alert in alerts if alert["state"] != "end"})


def test_an_agent_alone_is_no_customer_though_the_line_leaks_at_15_db():
    heard = told("agent_alone_with_sidetone").data("call.utterance")
    assert {one["role"] for one in heard} == {"agent"}
    assert {one["voice_reason"] for one in heard} == {"agent"}


def test_a_mixed_line_is_judged_by_its_words_and_by_no_voice():
    heard = told("mixed_line").data("call.utterance")
    assert any(one["words"] for one in heard)
    assert {(one["voice"], one["voice_reason"]) for one in heard} == {(None, "mixed_channel")}


def test_announcements_and_tones_are_no_call():
    assert told("not_in_service").bodies == ()


@pytest.mark.parametrize("chunk_ms", [7, 200])
@pytest.mark.parametrize("name", ["retention", "furious_agent_calm_customer"])
def test_events_are_the_same_whatever_the_chunks(name, chunk_ms):
    assert comparable(tell(name, chunk_ms=chunk_ms)) == comparable(told(name))


def test_events_are_the_same_fast_and_in_real_time():
    again = tell(REALTIME, realtime=True)
    assert comparable(again) == comparable(told(REALTIME))
    measured = [one["latency"]["verdict_ms"] for one in again.data("call.utterance")]
    assert all(measured)
    assert [one["latency"]["verdict_ms"] for one in told(REALTIME).data("call.utterance")] == [None] * len(measured)
