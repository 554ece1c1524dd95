"""Whose call it is: what the switchboard says of a call lands on that call, in whatever order and whenever it comes."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pytest

from edge.call.line import Forgotten, Line
from edge.call.next_calls import NextCalls
from edge.segment.synthetic import speech
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Absence, ClosedBy, Frame
from edge.wire.codes import ReplyReason
from edge.wire.commands import CallContext, CallStart
from edge.wire.context import Context, Customer
from edge.wire.events import Event, Started, Summary, Updated, UtteranceHeard
from tests.unit.call.told_line import END, FIELDS, Heard, Recogniser, a_line, context, start


@pytest.fixture
def heard() -> Heard:
    return Heard(a_line())


def test_what_is_known_before_a_call_is_merged_and_in_its_started_and_the_next_call_begins_with_nothing(heard):
    heard.say(context(customer_ref="C-1"))
    heard.say(context(queue="billing", notice_given=True))
    heard.say(start(callback="+44 20 7946 0000"))
    (started,) = heard.of(Started)
    assert (started.customer_ref, started.queue, started.notice_given, started.callback) == ("C-1", "billing", True, "+44 20 7946 0000")
    assert started.pbx_call_id is started.agent_ref is None
    heard.say(END)
    heard.say(start())
    assert {getattr(heard.of(Started)[1], name) for name in FIELDS} == {None}


def test_what_becomes_known_later_is_told_by_updated_and_in_the_summary_and_told_once(heard):
    heard.say(start())
    assert heard.say(context(customer_ref="C-1")).reason is None
    assert heard.say(context(queue="vip")).accepted
    assert heard.say(context(queue="vip", customer_ref="C-1")).reason is ReplyReason.ALREADY
    heard.say(END)
    told = heard.of(Updated)
    assert [(one.n, one.customer_ref, one.queue) for one in told] == [(1, "C-1", None), (2, "C-1", "vip")]
    assert [event.id.split(":", 1)[1] for event in heard.events if isinstance(event.data, Updated)] == ["updated:1", "updated:2"]
    assert (heard.of(Summary)[0].customer_ref, heard.of(Summary)[0].queue) == ("C-1", "vip")


def test_what_contradicts_the_open_calls_customer_is_refused_unless_it_names_the_call(heard):
    call = heard.say(start(customer_ref="C-1")).call
    refused = heard.say(context(customer_ref="C-2", queue="vip"))
    assert (refused.accepted, refused.reason, refused.call) == (False, ReplyReason.OTHER_CUSTOMER, call)
    assert heard.of(Updated) == []
    assert heard.say(context(call=call, customer_ref="C-2")).accepted
    assert [one.customer_ref for one in heard.of(Updated)] == ["C-2"]
    heard.say(END)
    heard.say(start())
    assert heard.of(Started)[1].customer_ref is None


def test_the_next_caller_may_be_announced_while_the_last_ones_line_is_still_open(heard):
    heard.say(start(pbx_call_id="A", customer_ref="C-1"))
    assert heard.say(context(pbx_call_id="B", customer_ref="C-2")).accepted
    heard.say(END)
    heard.say(start())
    assert [(one.pbx_call_id, one.customer_ref) for one in heard.of(Started)] == [("A", "C-1"), ("B", "C-2")]
    assert heard.of(Updated) == []


def test_a_name_that_nobody_knows_is_refused_and_does_not_wait_for_a_call(heard):
    assert heard.say(context(call="0190-nobody", customer_ref="C-9")).reason is ReplyReason.UNKNOWN_CALL
    heard.say(start(pbx_call_id="A"))
    heard.say(END)
    late = heard.say(context(pbx_call_id="A", customer_ref="C-1"))
    assert (late.accepted, late.reason) == (False, ReplyReason.UNKNOWN_CALL)
    heard.say(start())
    assert heard.of(Started)[1].customer_ref is None


def test_a_call_that_was_heard_before_the_switchboard_named_it_is_the_one_that_it_names_and_a_second_start_of_it_is_none(heard):
    heard.say(start())
    assert heard.say(context(pbx_call_id="A", customer_ref="C-1")).accepted
    again = heard.say(start(pbx_call_id="A", queue="vip"))
    assert (again.accepted, again.reason) == (True, ReplyReason.ALREADY)
    assert len(heard.of(Started)) == 1
    assert [(one.customer_ref, one.queue) for one in heard.of(Updated)] == [("C-1", None), ("C-1", "vip")]


def test_the_end_of_a_call_that_is_not_open_is_refused(heard):
    assert heard.say(END).reason is ReplyReason.NO_CALL


def test_what_was_said_of_a_call_that_never_came_is_forgotten_and_the_latest_caller_is_not_mixed_with_those_before():
    moment = [0.0]
    waiting = NextCalls(120.0, lambda: moment[0])
    waiting.add(Context(customer_ref="C-1", queue="vip"))
    waiting.add(Context(customer_ref="C-2"))
    assert waiting.take(Context()) == Context(customer_ref="C-2")
    waiting.add(Context(queue="vip"))
    moment[0] = 121.0
    assert waiting.take(Context()) == Context()
    waiting.add(Context(pbx_call_id="A", customer_ref="C-1"))
    waiting.add(Context(pbx_call_id="B", customer_ref="C-2"))
    assert waiting.take(Context()) == Context(pbx_call_id="B", customer_ref="C-2")
    assert waiting.take(Context()) == Context()
    for n in range(1000):
        waiting.add(Context(pbx_call_id=str(n)))
    assert len(waiting._announced) <= 16


def test_a_customer_who_is_forgotten_is_in_no_call_to_come_and_an_open_call_of_theirs_tells_nothing_more(heard):
    line, ann = heard.line, Customer(customer_ref="C-1", callback="+44 1")
    heard.say(context(customer_ref="C-1", queue="vip"))
    heard.say(context(pbx_call_id="77", callback="+44 1"))
    heard.say(context(pbx_call_id="78", customer_ref="C-2"))
    assert line.forget(ann) == Forgotten(announced=2)
    assert line.forget(ann) == Forgotten()
    heard.say(start(pbx_call_id="79"))
    call = heard.of(Started)[0].call
    assert line.forget(ann) == Forgotten()
    heard.say(context(pbx_call_id="79", customer_ref="C-1"))
    heard.angry()
    told = len(heard.events)
    assert line.forget(ann) == Forgotten(calls=(call,))
    assert not line.in_call
    heard.events += line.end(ClosedBy.COMMAND)
    assert len(heard.events) == told
    # The line goes on with whoever is next.
    heard.say(start(pbx_call_id="78"))
    assert heard.of(Started)[-1].customer_ref == "C-2"


# --- nothing is judged before the caller has been told ---------------------------------------------------------------


def spoken(line: Line, seconds: float, begin: int, told_at: float | None = None) -> Iterator[Event]:
    """The customer speaks for so long, twice over with a pause between, and then is silent; at `told_at` the notice is given."""
    pcm = np.concatenate([speech(seconds), np.zeros(2 * SAMPLE_RATE, np.int16), speech(seconds), np.zeros(2 * SAMPLE_RATE, np.int16)])
    for at in range(0, len(pcm) - FRAME_SAMPLES, FRAME_SAMPLES):
        if told_at is not None and at == round(told_at * SAMPLE_RATE / FRAME_SAMPLES) * FRAME_SAMPLES:
            yield from line.handle_command(context(notice_given=True)).events
        both = np.stack([pcm[at : at + FRAME_SAMPLES], np.zeros(FRAME_SAMPLES, np.int16)])
        yield from line.process_frame(Frame(start=begin + at, pcm=both))


def test_with_require_notice_nothing_is_recognised_or_judged_before_the_notice_and_the_summary_says_how_much_that_was():
    recogniser = Recogniser()
    line = a_line(recogniser, require_notice=True)
    events = [*line.handle_command(start()).events, *spoken(line, 3.0, 0, told_at=4.0), *line.handle_command(END).events]
    said = [event.data for event in events if isinstance(event.data, UtteranceHeard)]
    before = [one for one in said if one.start_ms < 4000]
    after = [one for one in said if one.start_ms >= 4000]
    assert before
    assert after
    assert {(one.voice_reason, one.words_reason, one.verdict) for one in before} == {(Absence.NO_NOTICE, Absence.NO_NOTICE, None)}
    assert Absence.NO_NOTICE not in {one.voice_reason for one in after} | {one.words_reason for one in after}
    assert recogniser.fed
    assert min(recogniser.fed) >= 4 * SAMPLE_RATE
    (summary,) = [event.data for event in events if isinstance(event.data, Summary)]
    assert summary.without_notice == len(before)


@pytest.mark.parametrize(("known", "judged"), [({"notice_given": True}, True), ({"notice_given": False}, False), ({}, False)])
def test_with_require_notice_a_call_is_judged_only_where_the_notice_is_known(known, judged):
    recogniser = Recogniser()
    line = a_line(recogniser, require_notice=True)
    events = [*line.handle_command(start(**known)).events, *spoken(line, 3.0, 0), *line.handle_command(END).events]
    reasons = {event.data.words_reason for event in events if isinstance(event.data, UtteranceHeard)}
    assert (Absence.NO_NOTICE not in reasons, bool(recogniser.fed)) == (judged, judged)
    (summary,) = [event.data for event in events if isinstance(event.data, Summary)]
    assert (summary.without_notice == 0) == judged


def test_a_context_has_the_same_fields_in_commands_values_and_events():
    names = set(asdict(Context()))
    assert names == set(CallContext.__struct_fields__) - {"id", "line", "call"} == set(CallStart.__struct_fields__) - {"id", "line"}
    for kind in (Started, Updated, Summary):
        assert names <= set(kind.__struct_fields__)
