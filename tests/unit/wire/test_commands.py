"""What the bus may ask of a box: only what is known, small, fresh, and not too often."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.mqtt.gate import Gate
from edge.wire.commands import AlertAction, CallContext, CallEnd, CallStart, Command, ModelInstall, Refused, parse


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("call/line-1/start", b"", CallStart(line="line-1")),
        ("call/line-1/end", b" {} ", CallEnd(line="line-1")),
        ("call/l/context", b'{"customer_ref": "C-77"}', CallContext(line="l", customer_ref="C-77")),
        ("alert/ack", b'{"alert": "a", "by": "Jo"}', AlertAction(alert="a", action="ack", by="Jo")),
        ("alert/contacted", b'{"alert": "a", "by": "Jo"}', AlertAction(alert="a", action="contacted", by="Jo")),
        (
            "alert/close",
            b'{"alert": "a", "by": "Jo", "outcome": "refund"}',
            AlertAction(alert="a", action="close", by="Jo", outcome="refund"),
        ),
    ],
)
def test_a_command_is_what_its_topic_and_payload_say(topic, payload, command):
    assert parse(topic, payload) == command


def test_a_topic_beats_what_a_payload_says_about_it():
    assert parse("alert/ack", b'{"alert": "a", "by": "Jo", "action": "close"}').action == "ack"
    assert parse("call/line-1/end", b'{"line": "line-2"}').line == "line-1"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("call/line-1/restart", b"{}"),
        ("call//start", b"{}"),
        ("call/../start", b"{}"),
        ("call/a/b/start", b"{}"),
        ("alert/ack", b"{}"),
        ("alert/ack", b'{"alert": "a", "by": ""}'),
        ("alert/ack", b'{"alert": "a", "by": "Jo", "run": "reboot"}'),
        ("alert/close", b'{"alert": "a", "by": "Jo\\u0007"}'),
        ("call/l/context", b'{"queue": 5}'),
        ("call/l/context", json.dumps({"queue": "x" * 129}).encode()),
        ("call/l/context", b"[" * 100_000),
        ("call/l/context", b"\xff\xfe"),
        ("model/install", b"{}"),
        ("customer/erase", b"{}"),
        ("customer/erase", b'{"by": "ann"}'),
        ("customer/erase", b'{"customer_ref": ""}'),
        ("", b"{}"),
    ],
)
def test_everything_else_is_refused_in_one_line_that_does_not_repeat_it(topic, payload):
    with pytest.raises(Refused) as refused:
        parse(topic, payload)
    told = str(refused.value)
    assert told
    assert "\n" not in told
    assert len(told) < 200


def test_a_chunk_of_a_model_stays_within_the_models_size():
    chunk = {"model": "voice", "sha256": "0" * 64, "size": 3, "offset": 0, "data": "AAEC"}
    assert parse("model/install", json.dumps(chunk).encode()) == ModelInstall(
        model="voice", sha256="0" * 64, size=3, offset=0, data=b"\x00\x01\x02"
    )
    with pytest.raises(Refused, match="beyond"):
        parse("model/install", json.dumps({**chunk, "offset": 1}).encode())


NAMES = st.sampled_from(["alert", "by", "queue", "line", "data", "size", "x"])
OBJECTS = st.dictionaries(NAMES, st.none() | st.text(max_size=200) | st.integers(), max_size=5)


@pytest.mark.takes(1)
@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["call/l/start", "call/l/context", "alert/close", "model/install"]) | st.text(max_size=40),
    st.binary(max_size=200) | OBJECTS.map(lambda value: json.dumps(value).encode()),
)
def test_no_message_whatever_does_more_than_be_a_command_or_be_refused(topic, payload):
    with contextlib.suppress(Refused):
        assert isinstance(parse(topic, payload), Command)


def test_retained_giant_and_too_frequent_messages_do_not_pass_the_gate():
    moment = [0.0]
    gate = Gate(lambda: moment[0])
    assert "retained" in gate.refusal("t", 10, retained=True)
    assert "at most 4096" in gate.refusal("t", 4097, retained=False)
    assert gate.refusal("undertone-cmd/v1/s/d/model/install", 300_000, retained=False) is None
    assert "at most 400000" in gate.refusal("undertone-cmd/v1/s/d/model/install", 500_000, retained=False)
    passed = sum(gate.refusal("t", 10, retained=False) is None for _ in range(1000))
    moment[0] += 1
    later = sum(gate.refusal("t", 10, retained=False) is None for _ in range(1000))
    assert (passed, later) == (49, 20)
