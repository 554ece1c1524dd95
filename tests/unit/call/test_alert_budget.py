"""The alert budget of an hour, and the cooldown of a customer: what is held back, and what never is."""

from datetime import timedelta

from edge.call.rules.alert_history import AlertHistory
from edge.wire.commands import CallContext
from tests.conversation import LEAVING, NOON, SUES, Conversation, words


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
