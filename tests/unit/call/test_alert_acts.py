"""Acts of the team on an alert, in the call and after it: taken, closed, who was first, and until when."""

from datetime import timedelta

import pytest

from edge.call.past_calls import PastCalls
from edge.wire.codes import AlertVerb, ReplyReason
from edge.wire.commands import AlertAction, CallContext
from edge.wire.context import Context
from edge.wire.events import Alert
from tests.conversation import ALERT, NOON, Conversation, furious


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
