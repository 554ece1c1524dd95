"""A customer is forgotten: nothing of theirs is told or kept any more, nothing of anybody else's is touched, and what went is told."""

import json
import sqlite3

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.outbox.store import Store
from edge.wire.context import Customer
from edge.wire.device import Reply
from edge.wire.events import Event, Started
from tests.telling import NOON, alert, consumer, failed, open_outbox, started, text, updated, utterance, waiting

ANN = Customer(customer_ref="C-ANN", callback="+44 1")


def known(call: str, line: str = "line-1", **facts) -> Event:
    """A call that begins with something known."""
    event = started(call, line)
    assert isinstance(event.data, Started)
    return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, **facts))


def take(outbox) -> list[dict]:
    told = []
    while rows := outbox.pending(20):
        for row in rows:
            outbox.sent(row)
            outbox.acknowledged(row)
        told += [json.loads(row.body) for row in rows]
    return told


def on_disk(folder) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("outbox*"))


def of(told, kind: str) -> list[dict]:
    return [event["data"] for event in told if event["type"] == f"undertone.{kind}.v1"]


def test_what_waits_what_is_known_and_the_alert_go_and_ids_alone_are_told(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", customer_ref="C-ANN", pbx_call_id="77"), text(1, call="a"), alert(call="a", customer_ref="C-ANN"), failed("a")])
    outbox.put([known("b", customer_ref="C-BOB", pbx_call_id="78"), text(2, call="b"), alert(call="b", customer_ref="C-BOB")])
    assert outbox.erase_customer(ANN, by="dpo") is True
    assert b"C-ANN" not in on_disk(tmp_path)
    assert b"C-BOB" in on_disk(tmp_path)
    told = take(outbox)
    assert of(told, "device.erased") == [{"calls": ["a"], "alerts": ["a:alert"], "events": 4, "announced": 0, "by": "dpo"}]
    [end] = [one for one in of(told, "alert") if one["call"] == "a"]
    assert (end["state"], end["end_reason"], end["customer_ref"], end["callback"]) == ("end", "erased", None, None)
    assert {gap["reason"] for gap in of(told, "device.gap")} == {"erased"}
    assert [one["call"] for one in of(told, "call.text")] == ["b"]
    assert outbox.records.last_alert(call="a") is None
    assert outbox.records.last_alert(call="b") is not None
    assert outbox.records.call_named("line-1", "77") is None
    assert outbox.records.call_named("line-1", "78") == "b"
    # What had ended is not ended again.
    assert of(told, "call.failed") == []
    outbox.recover()
    assert [one["call"] for one in of(take(outbox), "call.failed")] == ["b"]
    outbox.close()


def test_a_call_of_theirs_that_is_open_fails_as_erased_and_one_whose_beginning_was_sent_is_theirs_too(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", customer_ref="C-ANN")])
    outbox.put([started("b", "line-2"), updated("b", "line-2", customer_ref="C-ANN")])
    take(outbox)
    outbox.put([utterance(1, "a"), utterance(1, "b", "line-2"), utterance(1, "c")])
    assert outbox.erase_customer(Customer(customer_ref="C-ANN")) is True
    told = take(outbox)
    assert {(one["call"], one["reason"]) for one in of(told, "call.failed")} == {("a", "erased"), ("b", "erased")}
    assert [one["call"] for one in of(told, "call.utterance")] == ["c"]
    outbox.recover()
    assert take(outbox) == []
    outbox.close()


@pytest.mark.parametrize("customer", [Customer(callback="+44 1"), ANN])
def test_a_number_is_enough(tmp_path, customer):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", callback="+44 1"), text(1, call="a"), known("b", callback="+44 12"), text(2, call="b")])
    assert outbox.erase_customer(customer) is True
    told = take(outbox)
    assert of(told, "device.erased")[0]["calls"] == ["a"]
    assert [one["call"] for one in of(told, "call.text")] == ["b"]
    outbox.close()


def test_the_docs_consumer_knows_what_became_of_a_command_and_forgets_whom_it_is_told_to(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", customer_ref="C-ANN"), alert(call="a", customer_ref="C-ANN"), alert(call="b")])
    said = [
        Reply(command="alert/ack", id="7", accepted=ok, reason=None, call="a", alert=None, revision=None, by=None, at=None)
        for ok in (False, True)
    ]
    outbox.put([Event(id=f"reply:1:{n}", topic="reply", time=NOON, data=one) for n, one in enumerate(said)])
    prove = consumer()(since=0)
    for event in take(outbox):
        prove.take(f"p/{event['type']}", event)
    assert set(prove.alerts) == {"a:alert", "b:alert"}
    assert prove.replies["7"]["accepted"]
    outbox.erase_customer(ANN)
    for event in take(outbox):
        prove.take(f"p/{event['type']}", event)
    assert set(prove.alerts) == {"b:alert"}
    assert prove.erased_calls == {"a"}
    outbox.close()


def test_who_is_not_known_is_not_told_of(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([known("b", customer_ref="C-BOB"), alert(call="b", customer_ref="C-BOB")])
    before = [row.id for row in waiting(outbox)]
    assert outbox.erase_customer(ANN) is False
    assert outbox.erase_customer(Customer()) is False
    assert [row.id for row in waiting(outbox)] == before
    outbox.close()


def test_what_is_on_its_way_is_not_sent_again_after_it_was_erased(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", customer_ref="C-ANN")])
    [row] = outbox.pending(5)
    outbox.sent(row)
    assert outbox.erase_customer(ANN) is True
    outbox.nothing_in_flight()
    assert of(take(outbox), "call.started") == []
    outbox.acknowledged(row)
    outbox.close()


def test_what_the_disk_has_not_taken_is_erased_as_well(tmp_path, monkeypatch):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", customer_ref="C-ANN")])
    refusing = [True]
    real = Store.commit
    monkeypatch.setattr(Store, "commit", lambda store, work: not refusing[0] and real(store, work))
    outbox.put([text(1, call="a"), text(2, call="b")])
    assert outbox.erase_customer(ANN) is None
    refusing.clear()
    refusing.append(False)
    assert outbox.erase_customer(ANN) is True
    assert [one["call"] for one in of(take(outbox), "call.text")] == ["b"]
    outbox.close()


def test_damaged_files_that_were_set_aside_go_for_nobody_can_tell_whom_they_are_about(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([known("a", customer_ref="C-ANN"), *(text(n, call="a") for n in range(50))])
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    outbox = open_outbox(tmp_path)
    assert b"C-ANN" in on_disk(tmp_path)
    assert outbox.erase_customer(ANN) is True
    assert b"C-ANN" not in on_disk(tmp_path)
    outbox.close()


CALLS = st.lists(st.tuples(st.sampled_from(["C-ANN", "C-BOB", None]), st.sampled_from(["started", "alert", "updated"])), max_size=8)


@settings(max_examples=25)
@given(calls=CALLS, sent=st.integers(0, 30), acknowledged=st.integers(0, 30))
def test_whatever_waits_or_was_sent_only_theirs_goes_and_every_number_is_accounted_for(calls, sent, acknowledged):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        outbox = open_outbox(Path(folder))
        for n, (customer, how) in enumerate(calls):
            call = f"c{n}"
            outbox.put([known(call, customer_ref=customer if how == "started" else None), text(n, call=call)])
            if how == "alert":
                outbox.put([alert(call=call, customer_ref=customer)])
            if how == "updated":
                outbox.put([updated(call, customer_ref=customer)])
        rows = [row for _ in range(sent) for row in outbox.pending(1)]
        seen = [(row.topic, json.loads(row.body)) for row in rows[:acknowledged]]
        for row in rows[:acknowledged]:
            outbox.sent(row)
            outbox.acknowledged(row)
        theirs = {f"c{n}" for n, (customer, _) in enumerate(calls) if customer == "C-ANN"}
        assert outbox.erase_customer(Customer(customer_ref="C-ANN")) is bool(theirs)
        left = waiting(outbox)
        assert b"C-ANN" not in on_disk(Path(folder))
        prove = consumer()(since=0)
        for topic, event in [*seen, *((row.topic, json.loads(row.body)) for row in left)]:
            prove.take(f"p/{topic}", event)
        assert prove.missing() == {}
        texts = {event["data"]["call"] for event in (json.loads(row.body) for row in left) if "call.text" in event["type"]}
        assert not texts & theirs
        outbox.close()
