"""Which of the box's calls a switchboard means, and whose calls are whose."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from desk.cases.refusals import Malformed
from desk.ingest.pbx import take_told
from desk.ingest.rebuild import rebuild
from desk.switchboard.calls import Told, match
from desk.switchboard.customers import customer_key, number
from edge.clock import rfc3339, uuid7
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def told(**fields):
    return Told.read({"event": "answer", "callId": "pbx-1", "direction": "in", "from": "+441134960001", "to": "4711"} | fields, NOW)


def call(name="c", *, seconds=0.0, ended=None, desk="4711", callback=None, pbx=None):
    over = None if ended is None else rfc3339(NOW + timedelta(seconds=ended))
    start = rfc3339(NOW + timedelta(seconds=seconds))
    return {"call": name, "started_at": start, "ended_at": over, "desk": desk, "callback": callback, "pbx_call_id": pbx}


@pytest.mark.parametrize(("calls", "fields", "method", "names"), [
    ([call(pbx="m-1")], {"media_id": "m-1"}, "media_id", ["c"]),
    ([call(pbx="pbx-1", desk="9")], {}, "media_id", ["c"]),
    ([call(seconds=4)], {}, "extension_and_start", ["c"]),
    ([call(seconds=-4)], {"to": "9", "user": "4711"}, "extension_and_start", ["c"]),
    ([call(seconds=6)], {}, "none", []),
    ([call(seconds=60, callback="+44 113 496 0001")], {}, "number_and_window", ["c"]),
    ([call(seconds=600, callback="+441134960001")], {}, "none", []),
    ([call("a", seconds=1), call("b", seconds=2)], {}, "extension_and_start", ["a", "b"]),
    ([call(desk="1", seconds=1)], {"from": "anonymous"}, "none", []),
    ([call(seconds=1)], {"direction": "out", "from": "4711", "to": "+441134960001"}, "extension_and_start", ["c"]),
    ([], {}, "none", []),
    # Over before it was told of; just over, by clocks that go apart.
    ([call(seconds=-70, ended=-52, callback="+441134960001")], {}, "none", []),
    ([call(seconds=-4, ended=-3)], {}, "extension_and_start", ["c"]),
    ([call(seconds=-100, ended=-1, callback="+441134960001")], {}, "number_and_window", ["c"]),
    # The switchboard has named it otherwise.
    ([call(seconds=1, pbx="pbx-0")], {}, "none", []),
    ([call(seconds=60, pbx="pbx-0", callback="+441134960001")], {}, "none", []),
    ([call("a", seconds=1, pbx="pbx-0"), call("b", seconds=2)], {}, "extension_and_start", ["b"]),
    ([call(seconds=-70, ended=-52, pbx="pbx-1")], {}, "media_id", ["c"]),
    # A number that two share: at the desk that is told of, where boxes hear it; else wherever the number is.
    ([call("a", seconds=-60, desk="4712", callback="+441134960001"), call("b", seconds=-9000, ended=-8000)], {}, "none", []),
    ([call("a", seconds=-60, desk="4712", callback="+441134960001")], {}, "number_and_window", ["a"]),
])  # fmt: skip
def test_media_id_then_extension_and_start_then_number_and_window(calls, fields, method, names):
    found = match(told(**fields), calls)
    assert (found.method, [row["call"] for row in found.calls]) == (method, names)


@pytest.mark.parametrize("body", [{}, {"event": "explode", "callId": "1"}, {"event": "answer"}, {"event": "answer", "callId": {"a": 1}},
                                  {"event": "answer", "callId": "x" * 200}])  # fmt: skip
def test_messages_that_make_no_sense_are_refused(body):
    with pytest.raises(Malformed):
        Told.read(body, NOW)


@pytest.mark.parametrize(("written", "bare"), [
    ("+44 113 496-0000", "+441134960000"), ("0044 113 4960000", "+441134960000"),
    ("sip:+441134960000@pbx.example;user=phone", "+441134960000"),
    ("tel:+441134960000", "+441134960000"), ("(0113) 496 0000", "01134960000"), ("anonymous", None),
    ("Unknown", None), ("", None), (None, None),
    ("4711", None), ("+4411349600001234567", None), ("call me", None),
])  # fmt: skip
def test_numbers_are_one_however_they_are_written(written, bare):
    assert number(written) == bare


def test_the_anonymous_and_shared_numbers_are_nobodys_repeats():
    assert customer_key("K-1", "+441134960000") == "ref:K-1"
    assert customer_key(None, "+44 113 4960000") == "tel:+441134960000"
    assert customer_key(None, "+441134960000", ["+44 113 496 0000"]) is None
    assert customer_key(None, "anonymous") is None


@pytest.mark.parametrize("first", ["switchboard", "box"])
def test_whichever_comes_first_the_call_is_known_and_the_box_is_told(make, first):
    store, box, name = Store(make()), ScriptedBox(), uuid7()
    moment = datetime.now(UTC)
    body = {"event": "answer", "callId": "pbx-7", "from": "+441134960009", "to": "4711", "customer_ref": "K-7", "user": "u5"}

    def switchboard():
        with store.database.write() as tx:
            take_told(tx, Told.read(body, moment), "/undertone-desk/cti/pbx", json.dumps({"data": body}), rfc3339(moment), ())

    steps = [switchboard, lambda: store.tell(box, box.started(name, at=moment + timedelta(seconds=1)))]
    for step in steps if first == "switchboard" else reversed(steps):
        step()
    switchboard()
    store.tell(box, box.alert(name))
    case = store.case()
    assert (case["customer_ref"], case["callback"], case["agent_ref"], case["match_method"]) == (
        "K-7",
        "+441134960009",
        "u5",
        "extension_and_start",
    )
    with store.database.read() as tx:
        sent = tx.all("commands_pending")
    assert len(sent) == 1
    assert sent[0]["topic"] == "undertone-cmd/v1/leeds/desk-014/call/line-1/context"
    told_box = json.loads(sent[0]["body"])
    assert {key: told_box[key] for key in ("call", "customer_ref", "pbx_call_id")} == {
        "call": name,
        "customer_ref": "K-7",
        "pbx_call_id": "pbx-7",
    }
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before
    store.database.close()


def test_a_call_of_a_line_that_listens_is_told_over_its_lines_own_topic(make):
    store, box, moment = Store(make()), ScriptedBox(), datetime.now(UTC)
    body = {"event": "answer", "callId": "pbx-7", "from": "+441134960009", "to": "4711", "customer_ref": "K-7"}
    store.tell(box, box.started(uuid7(), at=moment, line="pbx/3"))
    with store.database.write() as tx:
        take_told(tx, Told.read(body, moment), "/undertone-desk/cti/pbx", json.dumps({"data": body}), rfc3339(moment), ())
    with store.database.read() as tx:
        (sent,) = tx.all("commands_pending")
    assert sent["topic"] == "undertone-cmd/v1/leeds/desk-014/call/pbx/context"
    store.database.close()
