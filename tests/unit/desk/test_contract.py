"""The desk and the box agree: what the box's own types tell, the desk takes whole; what the desk sends, the box's own parser takes."""

import json

import msgspec

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.vocabulary import Outcome
from desk.cases.wishes import wish
from desk.ingest.writer import Told
from edge.clock import now, uuid7
from edge.wire.cloudevents import envelope, type_name
from edge.wire.commands import parse
from edge.wire.events import EVENTS, Alert, Event
from edge.wire.parts import EvidenceData, ReasonData
from tests.scripted_box import ScriptedBox

LEAD = Actor(name="lea", role="lead")


def whole(kind: type, **known: object) -> object:
    """A `kind` with every field that is not `known` blank, as the schema lets it be."""
    return msgspec.convert({**dict.fromkeys(kind.__struct_fields__), **known}, kind)


def test_the_boxs_own_alert_is_taken_whole(store):
    call, moment = uuid7(), now()
    evidence = whole(EvidenceData, n=3, start_ms=1000, end_ms=2000, quote="you charged me twice")
    common = {"severity": "critical", "severity_level": 4, "route": "billing", "cause": "billing_error", "offset_ms": 9000}
    reason = whole(
        ReasonData, rule="complaint", rule_says="complains about a bill", evidence=[evidence], drivers=[], withdrawn=False, **common
    )
    alert = whole(
        Alert, alert=f"{call}:alert", revision=1, state="new", call=call, line="line-1", started_at=moment, reasons=[reason],
        opened_at=moment, updated_at=moment, page_until=moment, answerable_until=moment, site="leeds", device="desk-014",
        customer_ref="K-1",
        callback="+441134960000", **common,
    )  # fmt: skip
    event = Event(id=f"{call}:alert:1", topic="alert/billing", time=moment, data=alert, alert_lane=True)
    store.writer.store(
        [Told(topic="undertone/v1/leeds/desk-014/alert/billing", payload=envelope(event, site="leeds", device="desk-014", sequence=1))]
    )
    case = store.case()
    expected = {
        "severity": "critical", "route": "billing", "cause": "billing_error", "quote": "you charged me twice", "customer_ref": "K-1",
        "callback": "+441134960000", "page_until": moment, "answerable_until": moment, "line": "line-1",
    }  # fmt: skip
    assert {key: case[key] for key in expected} == expected
    told = json.loads(case["reasons"])[0]
    assert (told["says"], told["offset_ms"], told["withdrawn"]) == ("complains about a bill", 9000, False)


def test_the_desk_knows_the_types_of_the_events_that_it_lives_on():
    kinds = {type_name(one) for one in EVENTS}
    wanted = {"call.started", "call.updated", "call.summary", "call.failed", "call.utterance", "alert", "device.gap", "reply"}
    assert {f"undertone.{kind}.v1" for kind in wanted} <= kinds


def test_every_command_of_the_desk_is_one_that_the_box_takes(store):
    box = ScriptedBox()
    store.tell(box, *box.call())
    store.people("ben")
    steps = [("claim", {}), ("assign", {"to": "ben"}), ("claim", {"take_over": True}), ("attempt", {"result": "reached"})]
    for outcome in Outcome:
        steps += [("close", {"outcome": outcome.value, "note": "why"}), ("reopen", {})]
    for verb, asked in steps:
        act(store.database, 1, wish(verb, asked), LEAD)
    with store.database.read() as tx:
        sent = tx.all("commands_pending")
    assert len(sent) == 4 + 8 + 6
    for command in sent:
        taken = parse(command["topic"].split("/", 4)[4], command["body"].encode())
        assert taken.id == command["id"]
