"""The life of a call's one alert: new, update, moved, end; why, to whom, about whom; budget, cooldown; acts of the team, then and later."""

from datetime import timedelta

import msgspec
import pytest

from edge.call.past_calls import PastCalls
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.rule_set import load_rules
from edge.clock import rfc3339
from edge.values import Absence, Absent, ClosedBy, Mode, Privacy, Role
from edge.wire.codes import AlertVerb, ReplyReason, Severity
from edge.wire.commands import AlertAction, CallContext
from edge.wire.context import Context
from edge.wire.events import Alert
from tests.conversation import ANGRY, CALM, NOON, PLEASED, Conversation, voice, words

ALERT = "0190-call:alert"
LEAVING = words(1.0, 0.0, cause="retention", redacted="i want to leave [company]")
SUES = words(1.0, 0.0, cause="legal_or_regulator")


def furious(times: int = 3, **given) -> Conversation:
    call = Conversation(**given)
    for _ in range(times):
        call.customer(ANGRY).agent()
    return call


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


# --- one alert, many reasons -----------------------------------------------------------------------------------------


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


# --- dead air --------------------------------------------------------------------------------------------------------


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


# --- acts of the team ------------------------------------------------------------------------------------------------


def test_ack_contacted_and_close_echo_as_snapshots():
    call = furious(2)
    call.command(AlertAction(alert=ALERT, action="ack", by="maria"))
    call.command(AlertAction(alert=ALERT, action="contacted", by="joe"))
    call.command(AlertAction(alert=ALERT, action="close", by="joe", outcome="promised"))
    ack, contacted, closed = call.alert("sustained-anger")[1:]
    assert (ack.state, ack.acknowledged_by, ack.acknowledged_at) == ("update", "maria", ack.updated_at)
    assert (contacted.contacted_by, contacted.contacted_at, contacted.acknowledged_by) == ("joe", contacted.updated_at, "maria")
    assert (closed.state, closed.end_reason, closed.outcome, closed.closed_by) == ("end", "closed", "promised", "joe")
    assert closed.closed_at == closed.updated_at
    assert [one.n for one in closed.reasons[0].evidence] == [1, 3]


@pytest.mark.parametrize("alert", ["0190-call:alert:sustained-anger", "other-call:alert"])
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
    assert last.answerable_until > last.page_until > last.updated_at


def test_after_the_call_the_teams_acts_are_still_echoed_until_the_alert_is_closed():
    past = past_of(furious().over(), NOON + timedelta(minutes=20))
    (ack,) = past.act(AlertAction(alert=ALERT, action="ack", by="maria")).events
    assert isinstance(ack.data, Alert)
    assert (ack.data.state, ack.data.end_reason, ack.data.acknowledged_by) == ("end", "call_over", "maria")
    assert ack.id == f"{ALERT}:{ack.data.revision}"
    closing = AlertAction(alert=ALERT, action="close", by="maria", outcome="promised", note="Will ring on Monday.")
    (closed,) = past.act(closing).events
    assert (closed.data.end_reason, closed.data.outcome, closed.data.outcome_note) == ("closed", "promised", "Will ring on Monday.")
    assert closed.data.revision == ack.data.revision + 1
    late = past.act(AlertAction(alert=ALERT, action="ack", by="joe"))
    assert (late.events, late.answer.reason, late.answer.by) == ([], ReplyReason.CLOSED, "maria")


@pytest.mark.parametrize(("days", "taken"), [(1, True), (13, True), (15, False)])
def test_answers_count_until_answerable_until_however_long_ago_paging_ended(days, taken):
    handled = past_of(furious().over(), NOON + timedelta(days=days)).act(AlertAction(alert=ALERT, action="ack", by="maria"))
    assert (bool(handled.events), handled.answer.accepted) == (taken, taken)
    assert handled.answer.reason is (None if taken else ReplyReason.TOO_LATE)


def past_of(call: Conversation, now) -> PastCalls:
    """The calls that are over, `call` among them, at `now`."""
    past = PastCalls(clock=lambda: now)
    past.keep("line-1", call.call.call_id, Context(pbx_call_id="77"), call.call.alert.snapshot)
    return past


def act(verb: str, by: str, **given) -> AlertAction:
    return AlertAction(alert=ALERT, action=AlertVerb(verb), by=by, **given)


# Who says what, and what becomes of it: the reason (None: it counts), and who was there before.
STORY = [
    (act("ack", "maria"), None, None),
    (act("ack", "maria"), "already", "maria"),
    (act("ack", "joe"), "taken", "maria"),
    (act("ack", "joe", expected_revision=1), "wrong_revision", None),
    (act("ack", "joe", take_over=True), None, None),
    (act("ack", "maria"), "taken", "joe"),
    (act("contacted", "joe"), None, None),
    (act("contacted", "ann"), "already", "joe"),
    (act("close", "joe", outcome="went well"), "unknown_outcome", None),
    (act("close", "joe", outcome="resolved"), None, None),
    (act("close", "joe", outcome="resolved"), "already", "joe"),
    (act("close", "ann", outcome="duplicate"), "closed", "joe"),
    (act("contacted", "ann"), "closed", "joe"),
    (act("ack", "ann", take_over=True), "closed", "joe"),
]


@pytest.mark.parametrize("over", [False, True])
def test_the_first_acknowledgement_wins_and_everybody_is_told_what_is_true(over):
    call = furious()
    past = past_of(call.over(), NOON + timedelta(hours=1)) if over else None
    revision = call.call.alert.snapshot.revision
    for action, reason, by in STORY:
        handled = past.act(action) if past else call.call.act(action)
        answer, counts = handled.answer, reason is None
        revision += counts
        assert (answer.reason, answer.by, answer.revision) == (reason, by, revision), action
        assert answer.accepted is (reason in (None, "already"))
        assert [event.data.revision for event in handled.events] == ([revision] if counts else [])
        assert (answer.at is not None) == (by is not None)


def test_who_the_customer_was_becomes_known_when_the_call_is_over_and_its_alert_says_so_once():
    past = past_of(furious().over(), NOON + timedelta(minutes=5))
    assert past.named("line-1", "77") == "0190-call"
    assert past.named("line-2", "77") is past.named("line-1", "78") is None
    known = Context(customer_ref="C-9", callback="+44 20 7946 0000", notice_given=True)
    (told,) = past.update("0190-call", known).events
    assert (told.data.customer_ref, told.data.callback, told.data.end_reason) == ("C-9", "+44 20 7946 0000", "call_over")
    assert past.update("0190-call", known).answer.reason is ReplyReason.ALREADY
    assert past.update("0190-other", known).answer.reason is ReplyReason.UNKNOWN_CALL
    past.act(act("close", "joe"))
    assert past.update("0190-call", Context(queue="vip")).answer.reason is ReplyReason.CLOSED


# --- budget and cooldown ---------------------------------------------------------------------------------------------


def budgeted(alerts_in_the_hour: int, said, times: int = 3) -> Conversation:
    alert_history = AlertHistory()
    for n in range(alerts_in_the_hour):
        alert_history.opened(NOON - timedelta(minutes=n + 1), f"call-{n}", "other", None)
    call = Conversation(alert_history=alert_history)
    for _ in range(times):
        call.customer(said).agent()
    return call


MILD = words(2.2, -1.0)


def test_a_busy_hour_raises_thresholds_and_the_alert_says_so():
    assert budgeted(0, MILD).alert("sustained-anger")
    assert not budgeted(7, MILD).alert("sustained-anger")
    (reason,) = budgeted(6, words(5, -3), times=3).reason("sustained-anger")
    assert "alert budget: 6 calls in the last hour, 6 meant; thresholds raised by 25%" in reason.drivers
    assert "0.89" in reason.drivers[0]


def test_the_budget_counts_calls_and_not_their_reasons():
    history = AlertHistory()
    for n in range(20):
        history.opened(NOON - timedelta(minutes=1), "one call", f"rule-{n}", None)
    call = Conversation(alert_history=history)
    for _ in range(3):
        call.customer(MILD).agent()
    assert call.found == ["sustained-anger"]


def test_a_call_that_was_told_in_a_busy_hour_is_told_of_whatever_else_is_found():
    call = budgeted(30, SUES, times=1)
    assert call.found == ["regulator-threat"]
    for _ in range(3):
        call.customer(MILD).agent()
    assert call.found == ["regulator-threat", "sustained-anger"]


def test_alerts_of_the_hour_before_do_not_count():
    alert_history = AlertHistory()
    for n in range(20):
        alert_history.opened(NOON - timedelta(minutes=61), f"call-{n}", "other", None)
    call = Conversation(alert_history=alert_history)
    for _ in range(3):
        call.customer(MILD).agent()
    assert call.alert("sustained-anger")


def test_a_legal_threat_is_not_held_back_by_a_busy_hour():
    assert budgeted(50, words(1, 0, cause="legal_or_regulator", cause_p=0.55), times=1).alert("regulator-threat")


def test_updates_of_an_open_alert_keep_telling_of_the_budget():
    call = budgeted(6, words(5, -3), times=40)
    assert call.alerts[-1].revision > 1
    assert any(driver.startswith("alert budget") for driver in call.reason("sustained-anger")[-1].drivers)


def test_the_same_customer_is_not_alerted_about_twice_within_the_cooldown():
    alert_history = AlertHistory()
    again = {"alert_history": alert_history, "context": CallContext(customer_ref="C-1")}
    first = Conversation(**again).customer(LEAVING)
    second = Conversation(**again).customer(LEAVING)
    stranger = Conversation(alert_history=alert_history, context=CallContext(customer_ref="C-2")).customer(LEAVING)
    unknown = Conversation(alert_history=alert_history).customer(LEAVING)
    assert [bool(call.alert("retention-risk")) for call in (first, second, stranger, unknown)] == [True, False, True, True]


# --- privacy and honesty ---------------------------------------------------------------------------------------------


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
