"""The life of a call's one alert: new, update, moved, withdrawn, end; its reasons; dead air."""

from datetime import timedelta

import pytest

from edge.call.rules.rule_set import load_rules
from edge.clock import rfc3339
from edge.values import ClosedBy
from edge.wire.codes import Severity
from edge.wire.commands import AlertAction, CallContext
from tests.conversation import ALERT, ANGRY, CALM, LEAVING, NOON, PLEASED, SUES, Conversation, furious, words


def test_an_alert_says_what_why_to_whom_and_about_whom():
    alert = furious(context=CallContext(customer_ref="C-1", queue="billing")).alert("sustained-anger")[0]
    assert (alert.alert, alert.revision, alert.state) == (ALERT, 1, "new")
    assert (alert.severity, alert.severity_level, alert.route, alert.cause) == ("high", 3, "billing-team", "billing")
    assert (alert.site, alert.device) == ("site", "box")
    assert (alert.call, alert.line, alert.desk, alert.customer_ref, alert.queue) == ("0190-call", "line-1", "4711", "C-1", "billing")
    assert alert.started_at == rfc3339(NOON)
    (reason,) = alert.reasons
    assert (reason.rule, reason.severity, reason.route, reason.withdrawn) == ("sustained-anger", "high", "billing-team", False)
    assert [one.n for one in reason.evidence] == [1, 3]
    assert all(one.p_negative > 0.6 and one.cause == "billing" for one in reason.evidence)
    assert 0.6 < reason.probability < 1
    assert reason.drivers[0].startswith("fused p_negative 0.91, 0.91 at ")
    assert "0.85" in reason.drivers[0]
    assert alert.offset_ms == reason.offset_ms == 6_000
    assert alert.page_until == rfc3339(NOON + timedelta(seconds=6, minutes=240))
    assert alert.answerable_until == rfc3339(NOON + timedelta(seconds=6, days=14))


def test_there_is_at_most_one_alert_a_call_and_its_revisions_count_up():
    call = furious(30).agent(70).customer(LEAVING).over()
    alerts = call.alerts
    assert {alert.alert for alert in alerts} == {ALERT}
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
    assert [alert.state for alert in alerts] == ["new", *["update"] * (len(alerts) - 2), "end"]


def test_new_evidence_updates_no_more_often_than_the_cooldown():
    alerts = furious(45).alert("sustained-anger")
    moments = [alert.offset_ms for alert in alerts]
    assert len(alerts) == 3
    assert len(set(moments)) == 1, "offset is where the alert began"
    assert len({alert.updated_at for alert in alerts}) == 3


def test_evidence_is_bounded_and_keeps_beginning_and_newest():
    last = furious(60).over().reason("sustained-anger")[-1]
    assert len(last.evidence) == 12
    assert last.evidence[0].n == 1
    assert last.evidence[-1].n == 119


def test_the_end_brings_the_evidence_that_waited_for_the_cooldown():
    call = furious(5).over()
    assert [one.n for one in call.reason("sustained-anger")[-1].evidence] == [1, 3, 5, 7, 9]


@pytest.mark.takes(2)
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
    risen = next(reason for reason in call.reason("sustained-anger") if reason.severity == "critical")
    assert risen.drivers[-1].startswith("severity critical: fused p_negative")
    assert "the customer broke in 2 times" in risen.drivers[-1]
    assert call.reason("sustained-anger")[-1].drivers[-1] == risen.drivers[-1]


def test_a_customer_who_recovers_withdraws_an_alert_that_nobody_took_up():
    call = furious()
    for _ in range(3):
        call.customer(PLEASED).agent()
    assert (call.alerts[-1].state, call.alerts[-1].end_reason) == ("end", "withdrawn")


def test_an_acknowledged_alert_is_not_withdrawn():
    call = furious().command(AlertAction(alert=ALERT, action="ack", by="maria"))
    for _ in range(3):
        call.customer(PLEASED).agent()
    assert call.alerts[-1].state == "update"


def test_an_ended_alert_stays_ended():
    call = furious().command(AlertAction(alert=ALERT, action="close", by="maria", outcome="promised"))
    for _ in range(4):
        call.customer(ANGRY).agent()
    call.over()
    assert [alert.state for alert in call.alert("sustained-anger")] == ["new", "end"]


def test_what_else_is_found_is_a_reason_of_the_same_alert_and_told_at_once():
    call = furious().customer(words(3.5, -1.5, cause="billing", signals=("called_before",)))
    first, second = call.alerts
    assert [reason.rule for reason in first.reasons] == ["sustained-anger"]
    assert [reason.rule for reason in second.reasons] == ["sustained-anger", "repeat-caller"]
    assert (second.state, second.revision, second.severity, second.route) == ("update", 2, "high", "billing-team")


def test_a_graver_reason_of_another_team_ends_it_there_and_opens_it_here_under_the_same_id():
    call = furious().command(AlertAction(alert=ALERT, action="contacted", by="joe")).customer(SUES)
    told, moved, anew = [alert for alert in call.alerts if alert.state != "update"]
    assert (moved.state, moved.end_reason, moved.moved_to, moved.route) == ("end", "moved", anew.route, told.route)
    assert (anew.state, anew.end_reason, anew.moved_to, anew.route) == ("new", None, None, "legal")
    assert {alert.alert for alert in call.alerts} == {ALERT}
    assert anew.revision == moved.revision + 1 == told.revision + 3
    assert (anew.severity, anew.severity_level, anew.cause) == ("critical", 4, "legal_or_regulator")
    assert [reason.rule for reason in anew.reasons] == ["sustained-anger", "regulator-threat"]
    assert anew.opened_at == told.opened_at
    assert anew.contacted_by == "joe"


def test_the_other_team_has_not_taken_what_moves_to_it():
    call = furious().command(AlertAction(alert=ALERT, action="ack", by="maria")).customer(SUES)
    moved, anew = call.alerts[-2:]
    assert (moved.acknowledged_by, anew.acknowledged_by, anew.acknowledged_at) == ("maria", None, None)


def test_an_equally_grave_reason_of_another_team_moves_nothing():
    call = furious(2).agent(70).customer(LEAVING)
    assert {alert.route for alert in call.alerts} == {"billing-team"}
    assert [reason.route for reason in call.alerts[-1].reasons] == ["billing-team", "retention-team"]
    assert [alert.state for alert in call.alerts] == ["new", "update"]


def test_a_lesser_reason_first_then_the_graver_of_the_same_team_only_rises(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "rules: [{id: a, says: A., severity: low, route: team, when: {cause: {any_of: [billing]}}},"
        " {id: b, says: B., severity: high, route: team, when: {cause: {any_of: [retention]}}}]"
    )
    call = Conversation(rules=load_rules(path)).customer(ANGRY).customer(LEAVING)
    assert [(alert.state, alert.severity) for alert in call.alerts] == [("new", "low"), ("update", "high")]
    assert [alert.severity_level for alert in call.alerts] == [Severity.LOW.level, Severity.HIGH.level]


def test_one_reason_may_be_taken_back_while_another_stands():
    call = furious().agent(70).customer(LEAVING)
    for _ in range(3):
        call.customer(PLEASED).agent()
    last = call.alerts[-1]
    assert {reason.rule: reason.withdrawn for reason in last.reasons} == {"sustained-anger": True, "retention-risk": False}
    assert (last.state, last.severity) == ("update", "high")


def test_what_was_withdrawn_is_new_again_where_something_else_comes():
    call = furious()
    for _ in range(3):
        call.customer(PLEASED).agent()
    assert call.alerts[-1].end_reason == "withdrawn"
    call.customer(LEAVING)
    last = call.alerts[-1]
    assert (last.state, last.end_reason, last.route, last.alert) == ("new", None, "retention-team", ALERT)
    assert last.revision == len(call.alerts)


def test_what_a_person_closed_comes_again_only_for_something_graver():
    call = furious().command(AlertAction(alert=ALERT, action="close", by="maria", outcome="resolved"))
    call.agent(70).customer(LEAVING)
    assert call.alerts[-1].end_reason == "closed"
    call.customer(SUES)
    assert (call.alerts[-1].state, call.alerts[-1].closed_by, call.alerts[-1].outcome) == ("new", None, None)


def test_page_until_moves_with_new_evidence_and_never_back():
    call = furious().customer(LEAVING).customer(words(3, -1), seconds=4).quiet(1).customer(ANGRY)
    pages = [alert.page_until for alert in call.over().alerts]
    assert pages == sorted(pages)
    assert pages[-1] > rfc3339(NOON + timedelta(hours=23))


def complained(seconds: float = 14) -> Conversation:
    return Conversation().customer(ANGRY).quiet(seconds)


def test_a_silence_that_nobody_breaks_is_no_dead_air_when_the_recording_or_the_line_is_over():
    for reason in (ClosedBy.IDLE, ClosedBy.END_OF_RECORDING, ClosedBy.STOP):
        assert complained(60).over(reason).alerts == []


def test_later_speech_says_that_the_call_went_on():
    call = complained()
    assert call.alerts == []
    assert call.agent().found == ["dead-air-after-complaint"]


@pytest.mark.parametrize("reason", [ClosedBy.COMMAND, ClosedBy.BUSY, ClosedBy.DIAL])
def test_a_hang_up_says_that_the_call_went_on_until_then(reason):
    call = complained()
    if reason is not ClosedBy.COMMAND:
        call.tone("busy" if reason is ClosedBy.BUSY else "dial")
    call.over(reason)
    assert call.found == ["dead-air-after-complaint"]
    assert [alert.state for alert in call.alerts] == ["new", "end"]


def test_what_is_silent_after_a_hang_up_tone_is_no_part_of_it():
    call = complained(6).tone("busy").quiet(10).over(ClosedBy.BUSY)
    assert call.alerts == []


def test_a_hold_is_no_dead_air_however_the_call_ends():
    assert Conversation().customer(ANGRY).tone("music").quiet(30).over(ClosedBy.COMMAND).alerts == []
