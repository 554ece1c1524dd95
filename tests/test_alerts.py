"""The life of an alert: new, update, end; why, to whom, about whom; budget, cooldown; acts of the team, in the call and after it."""

from datetime import timedelta

import msgspec
import pytest

from edge.box.clock import rfc3339
from edge.bus.commands import AlertAction, CallContext
from edge.bus.events import Alert
from edge.call.desk import Desk
from edge.call.ledger import Ledger
from edge.call.rules import load_rules
from edge.values import Absent, Mode, Privacy, Role
from tests.conversation import ANGRY, CALM, NOON, PLEASED, Conversation, voice, words

ANGER = "0190-call:alert:sustained-anger"
RETENTION = "0190-call:alert:retention-risk"
LEAVING = words(1.0, 0.0, cause="retention", redacted="i want to leave [company]")


def furious(times: int = 3, **given) -> Conversation:
    call = Conversation(**given)
    for _ in range(times):
        call.customer(ANGRY).agent()
    return call


def test_an_alert_says_what_why_to_whom_and_about_whom():
    alert = furious(context=CallContext(customer_ref="C-1", queue="billing")).alert("sustained-anger")[0]
    assert (alert.alert, alert.revision, alert.state) == (ANGER, 1, "new")
    assert (alert.severity, alert.route, alert.cause) == ("high", "billing-team", "billing")
    assert (alert.call, alert.line, alert.desk, alert.customer_ref, alert.queue) == ("0190-call", "line-1", "4711", "C-1", "billing")
    assert alert.started_at == rfc3339(NOON)
    assert [one.n for one in alert.evidence] == [1, 3, 5]
    assert all(one.p_negative > 0.6 and one.cause == "billing" for one in alert.evidence)
    assert 0.6 < alert.probability < 1
    assert "3 utterances in a row" in alert.drivers[0]
    assert "0.60" in alert.drivers[0]
    assert alert.offset_ms == 10_000
    assert alert.expires_at == rfc3339(NOON + timedelta(seconds=10, minutes=240))


def test_there_is_at_most_one_alert_a_call_and_rule_and_its_revisions_count_up():
    call = furious(30).over()
    alerts = call.alert("sustained-anger")
    assert {alert.alert for alert in alerts} == {ANGER}
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
    assert [alert.state for alert in alerts] == ["new", *["update"] * (len(alerts) - 2), "end"]


def test_new_evidence_updates_no_more_often_than_the_cooldown():
    alerts = furious(45).alert("sustained-anger")
    moments = [alert.offset_ms for alert in alerts]
    assert len(alerts) == 3
    assert len(set(moments)) == 1, "offset is where the alert began"
    assert len({alert.updated_at for alert in alerts}) == 3


def test_evidence_is_bounded_and_keeps_beginning_and_newest():
    last = furious(60).over().alert("sustained-anger")[-1]
    assert len(last.evidence) == 12
    assert last.evidence[0].n == 1
    assert last.evidence[-1].n == 119


def test_the_end_brings_the_evidence_that_waited_for_the_cooldown():
    call = furious(5).over()
    assert [one.n for one in call.alert("sustained-anger")[-1].evidence] == [1, 3, 5, 7, 9]


def test_evidence_that_was_dropped_from_a_long_list_is_not_new_again():
    call = Conversation(rules=load_rules(None))
    for _ in range(20):
        call.customer(words(1, 0, cause="retention"))
    call.quiet(1)
    call.over()
    revisions = len(call.alert("retention-risk"))
    more = Conversation(rules=load_rules(None))
    for _ in range(20):
        more.customer(words(1, 0, cause="retention"))
    more.quiet(600).over()
    assert len(more.alert("retention-risk")) <= revisions + 1


def test_severity_rises_at_once_and_never_falls():
    call = furious(3)
    worse = words(5, -3, cause="billing")
    for _ in range(4):
        call.customer(worse, interrupted=True).agent()
    call.customer(CALM).agent().customer(CALM).over()
    severities = [alert.severity for alert in call.alert("sustained-anger")]
    assert severities[0] == "high"
    assert severities[-1] == "critical"
    assert severities == sorted(severities, key=["high", "critical"].index)
    risen = next(alert for alert in call.alert("sustained-anger") if alert.severity == "critical")
    assert risen.drivers[-1].startswith("severity critical: fused p_negative")
    assert "the customer broke in 2 times" in risen.drivers[-1]
    assert call.alert("sustained-anger")[-1].drivers[-1] == risen.drivers[-1]


def test_a_customer_who_recovers_withdraws_an_alert_that_nobody_took_up():
    call = furious()
    for _ in range(3):
        call.customer(PLEASED).agent()
    assert (call.alerts[-1].state, call.alerts[-1].end_reason) == ("end", "withdrawn")


def test_an_acknowledged_alert_is_not_withdrawn():
    call = furious().command(AlertAction(alert=ANGER, action="ack", by="maria"))
    for _ in range(3):
        call.customer(PLEASED).agent()
    assert call.alerts[-1].state == "update"


def test_an_ended_alert_stays_ended():
    call = furious().command(AlertAction(alert=ANGER, action="close", by="maria", outcome="refund promised"))
    for _ in range(4):
        call.customer(ANGRY).agent()
    call.over()
    assert [alert.state for alert in call.alert("sustained-anger")] == ["new", "end"]


def test_an_alert_expires_in_a_long_call():
    call = Conversation().customer(ANGRY).quiet(14).agent()
    assert call.alert("dead-air-after-complaint")[-1].state == "new"
    for _ in range(6):
        call.quiet(100).agent()
    call.quiet(400)
    assert call.alert("dead-air-after-complaint")[-1].end_reason == "expired"


# --- acts of the team ------------------------------------------------------------------------------------------------


def test_ack_contacted_and_close_echo_as_snapshots():
    call = furious()
    call.command(AlertAction(alert=ANGER, action="ack", by="maria"))
    call.command(AlertAction(alert=ANGER, action="contacted", by="joe"))
    call.command(AlertAction(alert=ANGER, action="close", by="joe", outcome="refund promised"))
    ack, contacted, closed = call.alert("sustained-anger")[1:]
    assert (ack.state, ack.acknowledged_by) == ("update", "maria")
    assert (contacted.contacted_by, contacted.acknowledged_by) == ("joe", "maria")
    assert (closed.state, closed.end_reason, closed.outcome) == ("end", "closed", "refund promised")
    assert [one.n for one in closed.evidence] == [1, 3, 5]


@pytest.mark.parametrize("alert", ["0190-call:alert:retention-risk", "other-call:alert:sustained-anger"])
def test_an_act_on_an_alert_that_is_not_there_says_nothing(alert):
    call = furious()
    before = len(call.events)
    call.command(AlertAction(alert=alert, action="ack", by="maria"))
    assert len(call.events) == before


def test_the_customer_becoming_known_updates_what_is_open():
    call = furious().command(CallContext(customer_ref="C-77", queue="vip"))
    assert (call.alerts[-1].state, call.alerts[-1].customer_ref, call.alerts[-1].queue) == ("update", "C-77", "vip")


def test_being_told_again_of_the_same_customer_is_no_news():
    call = furious().command(CallContext(customer_ref="C-77"))
    before = len(call.events)
    assert len(call.command(CallContext(customer_ref="C-77")).events) == before


def test_the_end_of_the_call_ends_its_alerts_and_says_until_when_to_act():
    call = furious().over()
    last = call.alert("sustained-anger")[-1]
    assert (last.state, last.end_reason) == ("end", "call_over")
    assert last.expires_at > last.updated_at


def test_after_the_call_the_teams_acts_are_still_echoed_until_the_alert_expires():
    call = furious().over()
    desk = Desk()
    desk.keep(call.call.alerts, NOON + timedelta(minutes=1))
    later = NOON + timedelta(minutes=20)
    (ack,) = desk.command(AlertAction(alert=ANGER, action="ack", by="maria"), later)
    assert isinstance(ack.data, Alert)
    assert (ack.data.state, ack.data.end_reason, ack.data.acknowledged_by) == ("end", "call_over", "maria")
    assert ack.id == f"{ANGER}:{ack.data.revision}"
    (closed,) = desk.command(AlertAction(alert=ANGER, action="close", by="maria", outcome="called back"), later)
    assert (closed.data.end_reason, closed.data.outcome, closed.data.revision) == ("closed", "called back", ack.data.revision + 1)
    assert desk.command(AlertAction(alert=ANGER, action="ack", by="joe"), later) == []


def test_yesterdays_alert_is_never_met():
    call = furious().over()
    desk = Desk()
    desk.keep(call.call.alerts, NOON)
    assert desk.command(AlertAction(alert=ANGER, action="ack", by="maria"), NOON + timedelta(hours=5)) == []


# --- budget and cooldown ---------------------------------------------------------------------------------------------


def budgeted(alerts_in_the_hour: int, said, times: int = 3) -> Conversation:
    ledger = Ledger()
    for n in range(alerts_in_the_hour):
        ledger.opened(NOON - timedelta(minutes=n + 1), "other", None)
    call = Conversation(ledger=ledger)
    for _ in range(times):
        call.customer(said).agent()
    return call


MILD = words(2.2, -1.0)


def test_a_busy_hour_raises_thresholds_and_the_alert_says_so():
    assert budgeted(0, MILD).alert("sustained-anger")
    assert not budgeted(7, MILD).alert("sustained-anger")
    (alert,) = budgeted(6, words(5, -3), times=3).alert("sustained-anger")
    assert "alert budget: 6 in the last hour, 6 meant; thresholds raised by 25%" in alert.drivers
    assert "0.70" in alert.drivers[0]


def test_alerts_of_the_hour_before_do_not_count():
    ledger = Ledger()
    for _ in range(20):
        ledger.opened(NOON - timedelta(minutes=61), "other", None)
    call = Conversation(ledger=ledger)
    for _ in range(3):
        call.customer(MILD).agent()
    assert call.alert("sustained-anger")


def test_a_legal_threat_is_not_held_back_by_a_busy_hour():
    assert budgeted(50, words(1, 0, cause="legal_or_regulator", cause_p=0.55), times=1).alert("regulator-threat")


def test_updates_of_an_open_alert_keep_telling_of_the_budget():
    call = budgeted(6, words(5, -3), times=40)
    updated = call.alert("sustained-anger")[-1]
    assert updated.revision > 1
    assert any(driver.startswith("alert budget") for driver in updated.drivers)


def test_the_same_customer_is_not_alerted_about_twice_within_the_cooldown():
    ledger = Ledger()
    again = {"ledger": ledger, "context": CallContext(customer_ref="C-1")}
    first = Conversation(**again).customer(LEAVING)
    second = Conversation(**again).customer(LEAVING)
    stranger = Conversation(ledger=ledger, context=CallContext(customer_ref="C-2")).customer(LEAVING)
    unknown = Conversation(ledger=ledger).customer(LEAVING)
    assert [bool(call.alert("retention-risk")) for call in (first, second, stranger, unknown)] == [True, False, True, True]


# --- privacy and honesty ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tier", "quoted"), [(Privacy.NUMBERS, False), (Privacy.QUOTES, True), (Privacy.TRANSCRIPT, True)])
def test_quotes_are_redacted_words_and_only_from_their_tier_up(tier, quoted):
    call = Conversation(config={"privacy": tier}).customer(LEAVING)
    evidence = call.alert("retention-risk")[0].evidence[0]
    assert evidence.quote == ("i want to leave [company]" if quoted else None)


def test_no_words_are_in_any_event_at_the_tier_of_numbers():
    call = furious(4).customer(LEAVING).over()
    everything = b" ".join(msgspec.json.encode(event.data) for event in call.events)
    assert b"[name]" not in everything
    assert b"leave" not in everything


def test_probability_is_null_where_it_is_no_matter_of_one(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text("rules: [{id: quiet, says: Quiet., severity: low, route: floor, when: {silence: {seconds_at_least: 8}}}]")
    alert = Conversation(rules=load_rules(path)).customer(CALM).quiet(10).alerts[0]
    assert alert.probability is None
    assert alert.evidence == []
    assert alert.drivers == ["silence of 8.0 s from 00:02 (needs 8 s)"]


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
    assert [one.n for one in call.alert("leaving")[-1].evidence] == ([1, 3, 5, 7] if says_so else [1, 3, 5])


def test_the_route_stays_when_the_cause_changes():
    call = furious()
    for _ in range(40):
        call.customer(words(3.5, -1, cause="refund")).agent()
    assert {alert.route for alert in call.alert("sustained-anger")} == {"billing-team"}
    assert call.alert("sustained-anger")[-1].cause == "refund"


def test_a_voice_only_box_alerts_on_sustained_anger_alone():
    call = Conversation(config={"mode": Mode.VOICE})
    for _ in range(2):
        call.customer(Absent(reason="mode"), voice(4, -3)).agent()
    assert call.alerts == []
    call.customer(Absent(reason="mode"), voice(4, -3))
    assert [alert.rule for alert in call.alerts] == ["sustained-anger"]


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
    assert [alert.rule for alert in call.alerts] == ["sustained-anger"]
