"""What no box should tell, or cannot mean: set aside and told in one line, and nobody else's event is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from desk.ingest.arrival import Unfit, read
from desk.ingest.rebuild import rebuild
from desk.ingest.writer import Told
from edge.clock import rfc3339, uuid7

BAD = [
    (b"", None),
    (b"{", "not a CloudEvent"),
    (b"[" * 100_000, "not a CloudEvent"),
    (b"\xff\xfe", "not a CloudEvent"),
    (b'{"id": 1}', "not a CloudEvent"),
    (b"x" * 2_000_001, "bytes, which no event has"),
]


@pytest.mark.parametrize(("payload", "reason"), BAD, ids=range(len(BAD)))
def test_malformed_messages_are_told_in_one_line_and_lose_nobody_else(store, box, payload, reason):
    good = box.call()
    store.writer.store(
        [
            Told(topic="undertone/v1/leeds/desk-014/alert/x", payload=payload),
            *(Told(topic=box.topic(e), payload=box.payload(e)) for e in good),
        ]
    )
    assert len(store.table("cases")) == 1
    refused = [dict(row) for row in store.table("refused")]
    assert len(refused) == (reason is not None)
    assert all(reason in row["reason"] and "\n" not in row["reason"] for row in refused)


def test_a_box_cannot_speak_for_another(store, box):
    forged = box.alert(uuid7())
    store.writer.store([Told(topic="undertone/v1/york/desk-2/alert/billing", payload=box.payload(forged))])
    assert store.table("cases") == []
    with pytest.raises(Unfit, match="another box"):
        read("undertone/v1", "undertone/v1/york/desk-2/alert/billing", box.payload(forged))


ODD = [
    {"severity": "<script>alert(1)</script>", "severity_level": 2},
    {"reasons": "none", "evidence": 3},
    {"reasons": [None, 7, {"says": "x" * 100_000, "evidence": [{"quote": "y" * 1_000_000}]}]},
    {"severity_level": 10**30},
    {"route": "\x00\x00", "cause": "a\x00b"},
    {"page_until": "yesterday", "opened_at": "0000-99-99", "answerable_until": 7},
    {"probability": float("1e308"), "opened_at": "9999-12-31T23:59:59Z"},
    {"later_field": {"deep": [[[]]]}, "state": "unheard of"},
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_fields_still_make_a_case(store, box, odd):
    store.tell(box, box.alert(uuid7(), **odd))
    case = store.case()
    assert case["opened_at"] <= rfc3339(datetime.now(UTC) + timedelta(seconds=1))
    assert len(case["quote"] or "") <= 300
    rebuild(store.database, ())
    assert store.case() == case


def test_a_clock_that_runs_ahead_promises_no_more_time(store, box):
    hour = rfc3339(datetime.now(UTC) + timedelta(hours=1))
    store.tell(box, box.alert(uuid7(), opened_at=hour, updated_at=hour))
    assert store.case()["due_at"] <= rfc3339(datetime.now(UTC) + timedelta(minutes=30))


def test_what_breaks_a_projection_is_set_aside_and_told(store, box, monkeypatch):
    good, bad = box.call(), box.alert(uuid7(), cause="poison")
    from desk.ingest import writer

    real = writer.project
    monkeypatch.setattr(
        writer,
        "project",
        lambda tx, group, *rest: 1 / 0 if any(one.event.data.get("cause") == "poison" for one in group) else real(tx, group, *rest),
    )
    store.tell(box, *good[:3], bad, *good[3:])
    assert len(store.table("cases")) == 1
    assert store.writer.counts["refused"] == 1
    assert [dict(row)["reason"] for row in store.table("refused")] == ["a defect of the desk: it could not be taken in; see the log"]
