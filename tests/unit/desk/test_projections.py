"""What boxes tell becomes calls and cases: whatever the order, however often, and again in a rebuild."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.ingest.rebuild import rebuild
from edge.clock import rfc3339, uuid7
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store

ANN = Actor(name="ann", role="operator")


def test_a_call_with_an_alert_becomes_one_case(store, box):
    events = box.call(customer_ref="K-17", callback="+44 113 496 0000")
    store.tell(box, *events)
    case = store.case()
    assert (case["state"], case["owner"], case["severity"], case["route"]) == ("open", None, "high", "billing")
    assert (case["customer_ref"], case["customer_key"], case["quote"]) == ("K-17", "ref:K-17", "the third time you charged me twice")
    assert case["due_at"] == rfc3339(datetime.fromisoformat(case["opened_at"]) + timedelta(minutes=30))
    assert json.loads(case["reasons"])[0]["says"] == "complains about a bill"
    assert (case["duration_ms"], case["end_weighted"]) == (60_000, -0.4)


@pytest.mark.parametrize("seed", range(12))
def test_order_and_repetition_change_nothing(make, seed):
    box, name = ScriptedBox(), uuid7()
    moment = datetime.now(UTC)
    told = [
        box.started(name, at=moment), *(box.utterance(name, n, -0.5) for n in range(1, 6)), box.alert(name, 1),
        box.alert(name, 2, severity="critical", state="update"),
        box.alert(name, 3, severity="critical", state="end", end_reason="call_over"),
        box.event("call.updated", "call/line-1/updated", f"{name}:updated:1", {"call": name, "customer_ref": "K-2"},
                  time=moment + timedelta(seconds=9)),
        box.summary(name, at=moment + timedelta(seconds=70)),
    ]  # fmt: skip
    chance = random.Random(seed)
    shuffled = [*told, *chance.choices(told, k=5)]
    chance.shuffle(shuffled)
    plain, other = Store(make()), Store(make())
    plain.tell(box, *told)
    while shuffled:
        size = chance.randint(1, 4)
        other.tell(box, *shuffled[:size])
        del shuffled[:size]
    one, two = plain.projections(), other.projections()
    # Of a case only what the first sight of it decided may differ: when it was opened, and so its promise.
    told_late = {"opened_at", "due_at", "due_how", "due_policy"}
    for tables in (one, two):
        tables["cases"] = [tuple(pair for pair in row if pair[0] not in told_late) for row in tables["cases"]]
    assert one == two
    assert len(one["cases"]) == 1
    assert plain.case()["severity"] == "critical"
    assert plain.case()["customer_ref"] == "K-2"
    plain.database.close()
    other.database.close()


def test_a_rebuild_makes_the_same(store, box):
    other = ScriptedBox("york", "desk-2")
    for seed in range(5):
        events = box.call(random.Random(seed), customer_ref="K-1")
        store.tell(box, *reversed(events))
        store.tell(other, *other.call(random.Random(seed + 50)))
    store.tell(box, box.gap("call/line-1/metrics", 1, 4))
    steps = [
        (1, "claim", {}), (1, "attempt", {"result": "no_answer"}), (1, "attempt", {"result": "reached"}), (1, "note", {"note": "angry"}),
        (1, "close", {"outcome": "resolved", "action": "refund"}), (1, "reopen", {}), (2, "claim", {}), (2, "release", {}),
        (3, "assign", {"to": "ben"}), (4, "snooze", {"until": "2030-01-01T00:00:00Z"}), (5, "attempt", {"result": "do_not_contact"}),
    ]  # fmt: skip
    store.people("ben")
    for case, verb, asked in steps:
        act(store.database, case, wish(verb, asked), ANN)
    before = store.projections()
    assert any(row for row in before["cases"] if ("linked_case", 1) in row)
    events, actions = rebuild(store.database, ())
    assert store.projections() == before
    assert (events, actions) == (len(store.table("events")), len(store.table("actions")))


def test_a_route_that_changes_moves_the_case(store, box):
    name = uuid7()
    store.tell(box, box.alert(name, 1, route="billing"), box.alert(name, 2, route="billing", state="end", end_reason="moved"))
    store.tell(box, box.alert(name, 3, route="technical", severity="critical", state="update"))
    case = store.case()
    assert (case["route"], case["alert_state"], case["end_reason"]) == ("technical", "update", None)
    assert len(store.table("cases")) == 1


def test_the_retained_alerts_open_what_was_missed_once(store, box):
    name = uuid7()
    alert = box.alert(name)
    bare = alert["data"] | {"reasons": [one | {"evidence": []} for one in alert["data"]["reasons"]]}
    store.tell(box, box.event("device.alerts", "alerts", "leeds/desk-014:alerts:1:1", {"alerts": [bare]}))
    assert store.case()["call"] == name
    assert store.case()["quote"] is None
    # The alert itself has the evidence, too, whichever comes first.
    store.tell(box, alert)
    store.tell(box, box.event("device.alerts", "alerts", "leeds/desk-014:alerts:1:2", {"alerts": [bare]}))
    assert len(store.table("cases")) == 1
    assert store.case()["quote"] == "the third time you charged me twice"
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


def test_something_graver_after_a_close_opens_the_case_again_and_the_like_does_not(store, box):
    name = uuid7()
    store.tell(box, box.alert(name, 1, severity="medium"))
    act(store.database, 1, wish("close", {"outcome": "resolved"}), ANN)
    store.tell(
        box, box.alert(name, 2, severity="medium", state="end", end_reason="closed"), box.alert(name, 3, severity="medium", state="update")
    )
    assert store.case()["state"] == "closed"
    store.tell(box, box.alert(name, 4, severity="critical", state="new"))
    case = store.case()
    assert (case["state"], case["severity"], bool(case["reopened_at"])) == ("open", "critical", True)
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


def test_a_case_that_becomes_graver_is_promised_sooner_unless_somebody_was_spoken_to(store, box):
    opened = datetime.now(UTC) - timedelta(minutes=5)
    later = rfc3339(opened + timedelta(minutes=2))
    worse, spoken = uuid7(), uuid7()
    for call in (worse, spoken):
        store.tell(box, box.alert(call, 1, severity="medium", opened_at=rfc3339(opened)))
    assert store.case(1)["due_at"] == rfc3339(opened + timedelta(minutes=120))
    act(store.database, 2, wish("attempt", {"result": "reached"}), ANN)
    for call in (worse, spoken):
        store.tell(box, box.alert(call, 2, severity="critical", state="update", opened_at=rfc3339(opened), updated_at=later))
        store.tell(box, box.alert(call, 3, severity="critical", state="end", opened_at=rfc3339(opened)))
    assert store.case(1)["due_at"] == rfc3339(opened + timedelta(minutes=17))
    assert store.case(1)["due_policy"] == "critical: 15 min"
    assert store.case(2)["due_at"] == rfc3339(opened + timedelta(minutes=120))
    # What is less grave again gives nobody more time.
    store.tell(box, box.alert(worse, 4, severity="low", state="update", opened_at=rfc3339(opened)))
    assert store.case(1)["due_at"] == rfc3339(opened + timedelta(minutes=17))
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


def test_an_old_will_does_not_mask_a_newer_start_but_a_new_one_counts(store, box):
    def state():
        with store.database.read() as tx:
            return json.loads(tx.one("status_get", source=box.source, topic="state")["body"])["data"]["state"]

    store.tell(box, box.state("online", boot=2, n=1), box.state("lost", boot=1, n=2))
    assert state() == "online"
    lost, back = box.state("lost", boot=2, n=3), box.state("online", boot=2, n=1)
    store.tell(box, lost)
    assert state() == "lost"
    # The same message again, as a box tells it with every connection.
    store.tell(box, back)
    assert state() == "online"


def test_a_customer_who_calls_again_is_linked_even_when_known_late(store, box):
    store.tell(box, *box.call(customer_ref="K-9"))
    late = uuid7()
    store.tell(box, box.started(late), box.alert(late))
    assert store.case(2)["linked_case"] is None
    store.tell(box, box.event("call.updated", "call/line-1/updated", f"{late}:updated:1", {"call": late, "customer_ref": "K-9"}))
    assert store.case(2)["linked_case"] == 1
