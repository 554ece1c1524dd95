"""What the outbox knows of calls and alerts, over restarts, crashes and full disks."""

import sqlite3
import time

import pytest

from edge.outbox.store import Store
from tests.telling import alert, bodies, failed, open_outbox, started, take, updated, utterance


def test_calls_that_a_crash_left_open_are_ended_before_anything_else_and_their_alerts_are_known_still(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([started("c1"), alert(), alert(1, "update"), started("c2", "line-2"), failed("c2", "line-2")])
    take(outbox)
    outbox.close()
    outbox = open_outbox(tmp_path)
    outbox.recover()
    outbox.put([started("c3")])
    told = bodies(outbox)
    assert [(body["id"], body["data"].get("end_reason") or body["data"].get("reason")) for body in told[:2]] == [
        ("c1:alert:2", "call_over"),
        ("c1:failed:1", "restart"),
    ]
    assert len(told) == 3
    assert outbox.records.last_alert(alert="c1:alert") == outbox.records.last_alert(call="c1")
    assert outbox.records.last_alert(alert="c1:alert").revision == 2
    assert outbox.records.last_alert(alert="c1:alert:other") is outbox.records.last_alert(call="c2") is None
    take(outbox)
    outbox.close()
    outbox = open_outbox(tmp_path)
    outbox.recover()
    assert [body["data"]["call"] for body in bodies(outbox)] == ["c3"]
    assert outbox.records.last_alert(call="c1").revision == 2
    outbox.close()


def test_what_the_disk_does_not_take_is_known_too(tmp_path, monkeypatch):
    outbox = open_outbox(tmp_path)
    outbox.put([started(), alert()])
    monkeypatch.setattr(Store, "commit", lambda *_: False)
    outbox.put([alert(1, "update"), utterance(3)])
    assert outbox.records.last_alert(call="c1") == alert(1, "update").data
    assert [outbox.records.has_utterance("c1", n) for n in (1, 3, 4)] == [False, True, False]
    monkeypatch.undo()
    outbox.close()


def test_which_utterances_a_call_has_had_and_what_the_switchboard_calls_it_is_known_over_restarts(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put(
        [started(), updated(pbx_call_id="77"), *(utterance(n) for n in (1, 2, 3)), failed(), started("c2"), updated("c2", pbx_call_id="78")]
    )
    for _ in range(2):
        assert [outbox.records.has_utterance("c1", n) for n in (1, 3, 4)] == [True, True, False]
        assert not outbox.records.has_utterance("x", 1)
        assert [outbox.records.call_named("line-1", name) for name in ("77", "78", "79")] == ["c1", "c2", None]
        assert outbox.records.call_named("line-2", "77") is None
        outbox.close()
        outbox = open_outbox(tmp_path)
    outbox.erase(None, open_too=True)
    assert not outbox.records.has_utterance("c1", 1)
    assert outbox.records.call_named("line-1", "78") is None
    outbox.close()


def test_calls_and_alerts_older_than_what_is_kept_are_erased_with_the_events(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([started(), alert(), utterance(1), failed(), started("c2"), utterance(1, "c2")])
    outbox.erase(time.time() - 60)
    assert outbox.records.last_alert(call="c1") is not None
    outbox.erase(time.time() + 60)
    assert outbox.records.last_alert(call="c1") is None
    assert [outbox.records.has_utterance(call, 1) for call in ("c1", "c2")] == [False, True]
    outbox.close()


@pytest.mark.parametrize("change", ["snapshot = x'00'", "snapshot = 5"])
def test_an_alert_that_damage_made_unreadable_is_unknown_and_the_rest_is_kept(tmp_path, change, caplog):
    outbox = open_outbox(tmp_path)
    outbox.put([started(), alert(), alert(call="c2")])
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.sqlite") as other:
        other.execute(f"UPDATE alerts SET {change} WHERE alert = 'c1:alert'")
    other.close()
    outbox = open_outbox(tmp_path)
    outbox.recover()
    told = [body["id"] for body in take(outbox)]
    assert set(told[2:]) | set(told[:2]) >= {"c2:alert:1", "c1:started:1", "c1:failed:1"}
    assert "outbox.open_damaged table=alerts" in caplog.text
    outbox.close()


def test_an_alert_that_could_be_answered_two_weeks_ago_for_the_last_time_is_forgotten_when_a_call_ends(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([alert(call="old", answerable_until="2026-01-01T00:00:00.000Z"), alert(call="new"), started()])
    assert outbox.records.last_alert(call="old") is not None
    outbox.put([failed()])
    assert outbox.records.last_alert(call="old") is None
    assert outbox.records.last_alert(call="new") is not None
    outbox.close()
