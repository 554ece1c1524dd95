"""The contract: every event the code can make is valid by the schemas, nothing else is, and every field is explained."""

import json
from datetime import datetime
from typing import get_args

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.__main__ import main
from edge.service.announce import feedback_event
from edge.service.open_alerts import open_alerts
from edge.values import Code, Mode, Privacy
from edge.wire.arrivals import decode
from edge.wire.asyncapi import asyncapi
from edge.wire.cloudevents import envelope, expired, sent_late
from edge.wire.codes import BoxState, CheckOutcome, GapReason, ReplyReason
from edge.wire.commands import AlertFeedback, CallContext, UtteranceFeedback
from edge.wire.device import CheckData, Erased, Gap, Health, Info, ModelChange, ModelInfo, Reply, SelfTest, State
from edge.wire.events import EVENTS, Event
from edge.wire.field_tables import markdown
from edge.wire.fields import MEANINGS, meaning
from edge.wire.parts import LineInfo, SpreadData, UnderstoodData
from edge.wire.schema import TOPICS, fields, schemas
from tests.conversation import ANGRY, CALM, FOREIGN, PLEASED, Conversation, voice, words
from tests.paths import ROOT
from tests.telling import NOON, alert, failed, started, text

DOCS = ROOT / "docs"
SCHEMAS = schemas()
FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or (value.endswith("Z") and bool(datetime.fromisoformat(value)))


VALIDATORS = {kind: jsonschema.Draft202012Validator(schema, format_checker=FORMATS) for kind, schema in SCHEMAS.items()}


OPTIONAL = {("device.selftest", "sequence"), ("device.model", "transfer"), ("reply", "subject")}


REPLY = Reply(
    command="alert/ack", id="17", accepted=False, reason=ReplyReason.TAKEN, call="c1", alert="c1:alert", revision=3, by="maria", at=NOON
)


def box(topic: str, data) -> Event:
    return Event(id=f"box:{topic}", topic=topic, time=NOON, data=data)


def everything() -> list[Event]:
    """At least one event of every kind, the calls' from the code that makes them."""
    model = ModelInfo(name="m", version="1", sha256="0" * 64, licence="CC0", signed_by=None, validated_on_calls=False)
    call = Conversation(config={"privacy": "transcript"})
    call.customer(CALM, voice(0.2)).agent(said=words(count=7)).customer(ANGRY, voice(2.5)).customer().customer(FOREIGN, voice(2.5))
    for _ in range(4):
        call.customer(ANGRY, voice(2)).agent()
    call.customer(PLEASED, voice(-2, 2)).command(CallContext(queue="billing")).quiet(20).over()
    info = Info(
        site="leeds", device="desk-1", undertone="0.1.0", mode=Mode.BOTH, privacy=Privacy.NUMBERS, models={"voice": model, "words": None},
        lines=[LineInfo(name="line-1", desk=None, channels=["customer"])],
        weights={"voice": 0.4}, weights_fitted=False, unsigned_allowed=False,
    )  # fmt: skip
    health = Health(
        uptime_s=1.0, cpu_s=1.0, memory_mb=1.0, outbox_rows=0, outbox_alert_rows=0, oldest_unsent_s=None, disk_free_mb=1.0,
        frames={"line-1": 1},
        dropped_ms={"line-1": 0}, latency_p50_ms=None, latency_p95_ms=None, latency_p99_ms=None,
        committed=None, sent=SpreadData(p50_ms=1.0, p95_ms=2.0, p99_ms=3.0), acknowledged=None, selftest_passed=None,
        understood={"line-1": UnderstoodData(calls=10, not_understood=8)}, sequences={"call/line-1/utterance": 7},
    )  # fmt: skip
    change = ModelChange(action="refused", model="voice", version="2", previous="1", reason="unsigned", figures={"ms": 1.0})
    return [
        *call.events, started(), text(1), failed(), alert(), alert(1, "update"), alert(2, "end"),
        box("alerts", open_alerts([alert().data])), box("info", info), box("health", health),
        box("state", State(state=BoxState.ONLINE, boot=1, since=NOON, reasons=[], lines={"line-1": "up"})), box("model", change),
        box("selftest", SelfTest(passed=True, checks={"voice": CheckData(outcome=CheckOutcome.GOOD)})),
        feedback_event(UtteranceFeedback(call="c1", n=3, label="negative", by="ann")),
        feedback_event(AlertFeedback(alert="c1:alert", justified=False, by="ann")),
        box("reply", REPLY), box("reply", msgspec.structs.replace(REPLY, accepted=True, reason=None, by=None, at=None)),
        box("reply", msgspec.structs.replace(REPLY, reason=ReplyReason.UNKNOWN_CALL, call=None, alert=None, revision=None)),
        box("erased", Erased(calls=["c1"], alerts=["c1:alert"], events=3, announced=1, by="ann")),
        box("gap", Gap(topic="*", first=None, last=None, lost=None, reason=GapReason.STORE_DAMAGED)),
    ]  # fmt: skip


EVERYTHING = everything()


def wrapped(event: Event) -> bytes:
    counted = event.data.kind not in {"alerts", "device.info", "device.state", "device.health"}
    return envelope(event, site="leeds", device="desk-1", sequence=1 if counted else None)


def test_the_examples_here_cover_every_kind():
    assert {event.data.kind for event in EVERYTHING} == set(SCHEMAS) == {event.kind for event in EVENTS} == set(TOPICS)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_event_is_valid_without_any_of_its_fields_it_is_not_and_what_a_newer_box_adds_is_read_past(kind):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])
    for event in (json.loads(wrapped(one)) for one in EVERYTHING if one.data.kind == kind):
        VALIDATORS[kind].validate(event)
        for part in (event, event["data"]):
            for name in list(part):
                if (kind, name) in OPTIONAL:
                    continue
                value = part.pop(name)
                assert not VALIDATORS[kind].is_valid(event), f"valid without {name}"
                part[name] = value
            part["newer"] = 1
        VALIDATORS[kind].validate(event)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_an_event_is_valid_also_where_what_may_be_unknown_is_null(kind):
    for one in (one for one in EVERYTHING if one.data.kind == kind):
        for field in msgspec.structs.fields(one.data):
            if type(None) in get_args(field.type):
                unknown = msgspec.structs.replace(one.data, **{field.name: None})
                VALIDATORS[kind].validate(json.loads(wrapped(msgspec.structs.replace(one, data=unknown))))


def test_late_and_expired_events_are_valid_too():
    late = json.loads(sent_late(wrapped(text(1))))
    over = json.loads(expired(wrapped(alert())))
    VALIDATORS["call.text"].validate(late)
    VALIDATORS["alert"].validate(over)
    assert late["historical"] is True
    assert (over["historical"], over["data"]["state"], over["data"]["end_reason"]) == (True, "end", "expired")
    assert json.loads(expired(wrapped(alert(2, "end"))))["data"]["end_reason"] == "call_over"


def test_every_field_has_a_meaning_and_no_meaning_is_left_over():
    known = list(fields())
    assert [(kind, name) for kind, name in known if not meaning(kind, name)] == []
    used = {f"{kind}.{name}" for kind, name in known} | {name for _, name in known}
    assert set(MEANINGS) - used == set()


def test_the_docs_are_what_the_code_says_now():
    assert (DOCS / "bus.md").read_text().endswith(markdown().rstrip() + "\n"), (
        "run undertone schema --markdown and paste it into docs/bus.md"
    )
    assert yaml.load((DOCS / "asyncapi.yaml").read_text(), yaml.CSafeLoader) == asyncapi(), "run undertone schema --asyncapi --out docs"


def test_asyncapi_refers_to_nothing_that_is_not_there():
    document = asyncapi()

    def references(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(document)):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_the_command_prints_lists_and_writes(capsys, tmp_path):
    assert main(["schema"]) == 0
    assert "call.utterance" in capsys.readouterr().out
    assert main(["schema", "alert"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMAS["alert"]
    assert main(["schema", "--asyncapi"]) == 0
    assert yaml.load(capsys.readouterr().out, yaml.CSafeLoader) == asyncapi()
    assert main(["schema", "--out", str(tmp_path / "s")]) == 0
    assert len(list((tmp_path / "s").iterdir())) == len(SCHEMAS)
    capsys.readouterr()
    assert main(["schema", "alrt"]) == 2
    assert "known: call.started" in capsys.readouterr().err


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | PLAIN.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_event_is_told_so_and_never_raises(payload):
    assert isinstance(decode(payload), str)


def test_what_is_an_event_arrives_with_fields_of_a_newer_box_too_and_one_with_a_wrong_field_does_not():
    for event in EVERYTHING:
        arrived = decode(wrapped(event))
        assert isinstance(arrived, dict)
        arrived["data"]["newer"] = 1
        assert isinstance(decode(msgspec.json.encode(arrived)), dict)
        first = next(iter(arrived["data"]))
        arrived["data"][first] = {"wrong": 1}
        assert isinstance(decode(msgspec.json.encode(arrived)), str)


CODES = [code for kind in Code.__subclasses__() for code in kind]


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{type(code).__name__}.{code}")
def test_every_word_on_the_bus_says_what_it_means_and_where_it_is_used_is_one_of_an_enumeration(code):
    assert code.doc.endswith(".")
    assert msgspec.json.decode(msgspec.json.encode(code), type=type(code)) is code


def test_schemas_tables_and_asyncapi_name_every_word_of_an_enumeration_that_an_event_uses():
    tables, components = markdown(), asyncapi()["components"]["schemas"]
    used = {name: kind for kind in Code.__subclasses__() if (name := kind.__name__) in components and name in str(SCHEMAS)}
    assert len(used) > 8
    for name, kind in used.items():
        assert components[name]["enum"] == [code.value for code in kind]
        for code in kind:
            assert f"- {code}: {code.doc}" in components[name]["description"]
            assert f"| `{code}` | {code.doc} |" in tables


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_time_is_a_time(kind):
    fields_of = SCHEMAS[kind]["$defs"].values()
    times = [name for one in fields_of for name in one.get("properties", {}) if name.endswith("_at") or name == "since"]
    for event in (json.loads(wrapped(one)) for one in EVERYTHING if one.data.kind == kind):
        for name in {*times, "time"}:
            part = event if name == "time" else event["data"]["alerts"][0] if kind == "alerts" else event["data"]
            right, part[name] = part[name], "yesterday"
            assert not VALIDATORS[kind].is_valid(event), f"{name} need not be a time"
            part[name] = right
