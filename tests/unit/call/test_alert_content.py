"""What an alert says, and to whom: quotes by privacy tier, probability, route, role."""

import msgspec
import pytest

from edge.call.rules.rule_set import load_rules
from edge.values import Absence, Absent, Mode, Privacy, Role
from edge.wire.events import Alert
from tests.conversation import ANGRY, CALM, LEAVING, Conversation, furious, voice, words


@pytest.mark.parametrize(("tier", "quoted"), [(Privacy.NUMBERS, False), (Privacy.QUOTES, True), (Privacy.TRANSCRIPT, True)])
def test_quotes_are_redacted_words_and_only_from_their_tier_up(tier, quoted):
    call = Conversation(config={"privacy": tier}).customer(LEAVING)
    evidence = call.reason("retention-risk")[0].evidence[0]
    assert evidence.quote == ("i want to leave [company]" if quoted else None)


def test_no_words_are_in_any_event_at_the_tier_of_numbers():
    call = furious(4).customer(LEAVING).over()
    everything = b" ".join(msgspec.json.encode(event.data) for event in call.events)
    assert b"[name]" not in everything
    assert b"leave" not in everything


def test_probability_is_null_where_it_is_no_matter_of_one(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("rules: [{id: quiet, says: Quiet., severity: low, route: floor, when: {silence: {seconds_at_least: 8}}}]")
    (reason,) = Conversation(rules=load_rules(path)).customer(CALM).quiet(10).agent().reason("quiet")
    assert reason.probability is None
    assert reason.evidence == []
    assert reason.drivers == ["silence of 10.0 s from 00:02 (needs 8 s)"]


def test_an_alert_without_a_cause_goes_to_the_default_route():
    call = Conversation()
    for _ in range(3):
        call.customer(words(3.5, -1)).agent()
    alert = call.alert("sustained-anger")[0]
    assert (alert.route, alert.cause) == ("recovery", None)


_EITHER = """
rules:
  - id: leaving
    says: The customer speaks of leaving, or is angry.
    severity: high
    route: cause
    when:
      any:
        - cause: {any_of: [retention], p_at_least: 0.4}
        - fused: {p_negative_at_least: 0.6, times: 3}
"""


@pytest.mark.parametrize(
    ("says_so", "cause", "route"), [(True, "retention", "retention-team"), (False, "billing", "billing-team")], ids=["asked", "not asked"]
)
def test_an_alert_goes_to_the_team_of_the_cause_that_its_rule_asked_for_whatever_else_was_complained_of(tmp_path, says_so, cause, route):
    path = tmp_path / "rules.yaml"
    path.write_text(_EITHER)
    call = Conversation(rules=load_rules(path))
    call.customer(ANGRY).agent().customer(ANGRY).agent()
    if says_so:
        call.customer(words(3.5, -1.5, cause="retention", cause_p=0.5)).agent()
    call.customer(ANGRY).over()
    assert {(alert.cause, alert.route) for alert in call.alert("leaving")} == {(cause, route)}
    assert [one.n for one in call.reason("leaving")[-1].evidence] == ([1, 3, 5, 7] if says_so else [1, 3, 5])


def test_the_route_stays_when_the_cause_changes():
    call = furious()
    for _ in range(40):
        call.customer(words(3.5, -1, cause="refund")).agent()
    assert {alert.route for alert in call.alert("sustained-anger")} == {"billing-team"}
    assert call.alert("sustained-anger")[-1].cause == "refund"


def test_a_voice_only_box_alerts_on_sustained_anger_alone():
    call = Conversation(config={"mode": Mode.VOICE})
    for _ in range(2):
        call.customer(Absent(reason=Absence.MODE), voice(4, -3)).agent()
    assert call.alerts == []
    call.customer(Absent(reason=Absence.MODE), voice(4, -3))
    assert call.found == ["sustained-anger"]


def test_every_revision_is_an_event_of_its_own_in_the_alert_lane():
    call = furious(30).over()
    events = [event for event in call.events if isinstance(event.data, Alert)]
    assert len({event.id for event in events}) == len(events)
    assert all(event.alert_lane and event.topic == f"alert/{event.data.route}" for event in events)
    assert all(event.time == event.data.updated_at for event in events)


def test_roles_are_what_the_line_says():
    call = Conversation(roles=[Role.MIXED])
    for _ in range(3):
        call.says(Role.MIXED, said=ANGRY)
    assert call.found == ["sustained-anger"]
