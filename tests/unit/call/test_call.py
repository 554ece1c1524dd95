"""A call from start to summary: its events, their ids, topics and times."""

import json
from itertools import pairwise

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.values import SAMPLE_RATE, Absence, Absent, Privacy, Role
from edge.wire.cloudevents import envelope
from edge.wire.commands import AlertAction, CallContext
from edge.wire.events import Alert, Metrics, Started, Summary, Text
from edge.wire.schema import schemas
from tests.conversation import ANGRY, CALM, PLEASED, SILENT, UNHEARD, Conversation, voice, words


def story(**given) -> Conversation:
    call = Conversation(**given)
    call.customer(PLEASED).agent().customer(CALM).quiet(7).customer(ANGRY, voice(2, -1)).agent()
    for _ in range(3):
        call.customer(ANGRY).agent()
    return call.over()


def test_a_call_begins_with_started_and_ends_with_its_summary():
    call = story()
    assert isinstance(call.events[0].data, Started)
    assert isinstance(call.events[-1].data, Summary)


def test_ids_are_deterministic_and_unique():
    first, second = story(), story()
    assert [event.id for event in first.events] == [event.id for event in second.events]
    assert len({event.id for event in first.events}) == len(first.events)
    assert first.events[0].id == "0190-call:started:1"
    assert [e.id for e in first.events if e.topic.endswith("/utterance")][:2] == ["0190-call:utterance:1", "0190-call:utterance:2"]


def test_the_same_call_gives_the_same_events():
    encoded = [[msgspec.json.encode(event) for event in story().events] for _ in range(2)]
    assert encoded[0] == encoded[1]


def test_a_call_that_begins_late_in_the_lines_life_has_its_own_clock():
    start = 3600 * SAMPLE_RATE
    early, late = story(), story(start=start)
    assert [msgspec.json.encode(event) for event in early.events] == [msgspec.json.encode(event) for event in late.events]


def test_topics_are_of_the_line():
    topics = {event.topic for event in story(config={"privacy": Privacy.TRANSCRIPT}).events}
    assert topics == {
        "call/line-1/started",
        "call/line-1/utterance",
        "call/line-1/metrics",
        "call/line-1/summary",
        "text/line-1",
        "alert/billing-team",
    }


def test_every_event_obeys_its_published_schema():
    checks = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in schemas().items()}
    for n, event in enumerate(story(config={"privacy": Privacy.TRANSCRIPT}).events, 1):
        checks[event.data.kind].validate(json.loads(envelope(event, site="leeds", device="desk-014", sequence=n)))


def test_times_are_of_the_lines_clock_and_never_go_back_within_a_topic():
    call = story()
    for topic in {event.topic for event in call.events}:
        times = [event.time for event in call.events if event.topic == topic]
        assert times == sorted(times)
    assert call.events[0].time == "2026-11-23T12:00:00.000Z"
    assert call.events[1].time == "2026-11-23T12:00:02.000Z"


def test_the_summary_tells_of_the_whole_call():
    told = story().data(Summary)[0]
    assert (told.utterances, told.customer_utterances, told.abstained) == (11, 6, 0)
    assert told.duration_ms == 29_000
    assert told.causes == {"billing": 4}
    assert told.alerts == ["0190-call:alert"]
    assert told.scores.mean < 0
    assert told.closed_by == "idle"


def test_scores_are_live_and_the_last_ones_are_the_summarys():
    call = story()
    live = [one.scores for one in call.utterances if one.role == "customer"]
    assert live[0].mean > 0 > live[-1].mean
    assert call.data(Summary)[0].scores.mean == live[-1].mean
    assert call.data(Metrics)[-1].scores.mean == live[-1].mean


def test_an_utterance_without_evidence_is_told_with_reasons_and_scores_nothing():
    call = Conversation().customer(SILENT, UNHEARD).over()
    one = call.utterances[0]
    assert (one.voice, one.voice_reason, one.words, one.words_reason) == (None, "too_short", None, "no_words")
    assert one.verdict.label is None
    assert one.scores.mean is None
    assert call.data(Summary)[0].abstained == 1


def test_a_branch_that_spoke_has_no_reason():
    one = Conversation().customer(ANGRY, voice(2, 0)).utterances[0]
    assert (one.voice_reason, one.words_reason) == (None, None)
    assert one.words.polarity == pytest.approx(one.words.p_positive - one.words.p_negative)


@pytest.mark.parametrize("allowed", [True, False])
def test_an_agents_words_are_told_only_where_the_line_says_so_and_never_scored(allowed):
    call = Conversation(line={"agent_words": allowed}, config={"privacy": Privacy.TRANSCRIPT})
    call.agent(said=ANGRY, sounds=voice(5, -5))
    one = call.utterances[0]
    assert (one.words is not None) is allowed
    assert (one.voice, one.voice_reason, one.verdict, one.scores) == (None, "agent", None, None)
    assert bool(call.data(Text)) is allowed
    assert call.over().data(Summary)[0].scores.mean is None


@pytest.mark.parametrize("tier", list(Privacy))
def test_text_is_published_only_at_the_tier_of_transcripts(tier):
    texts = Conversation(config={"privacy": tier}).customer(ANGRY).data(Text)
    assert [text.text for text in texts] == (["my name is [name] and this is not good"] if tier is Privacy.TRANSCRIPT else [])


def test_a_mixed_line_is_scored_by_its_words():
    call = Conversation(roles=[Role.MIXED]).says(Role.MIXED, said=ANGRY, sounds=Absent(reason=Absence.MIXED_CHANNEL)).over()
    assert call.utterances[0].voice_reason == "mixed_channel"
    assert call.data(Summary)[0].scores.mean < 0


def test_context_known_before_the_call_is_in_started_and_what_comes_later_in_the_summary():
    call = Conversation(context=CallContext(customer_ref="C-1", notice_given=True)).command(CallContext(queue="vip")).over()
    started, told = call.data(Started)[0], call.data(Summary)[0]
    assert (started.customer_ref, started.queue, started.notice_given) == ("C-1", None, True)
    assert (told.customer_ref, told.queue) == ("C-1", "vip")


def test_parts_of_a_monologue_share_a_turn():
    call = Conversation().customer(CALM, seconds=12, turn=7).customer(CALM, seconds=3, turn=7, part=1).customer(CALM, turn=8)
    turns = [one.turn_id for one in call.utterances]
    assert turns[0] == turns[1] != turns[2]
    assert [one.part for one in call.utterances] == [0, 1, 0]


def test_keywords_are_placed_in_the_call():
    one = Conversation(start=16_000).customer(words(keyword="cancel-word")).utterances[0]
    assert (one.words.spotted[0].keyword, one.words.spotted[0].start_ms) == ("cancel-word", 0)


# --- any conversation at all -----------------------------------------------------------------------------------------

polarities = st.floats(-6, 6)
causes = st.sampled_from([None, "billing", "retention", "legal_or_regulator"])
spoken = st.builds(
    lambda n, p, q, cause, repeat: words(n, p, q, cause=cause, signals=("called_before",) if repeat else ()),
    polarities,
    polarities,
    st.floats(0, 1),
    causes,
    st.booleans(),
)
steps = st.one_of(
    st.tuples(st.just("customer"), spoken, st.builds(voice, polarities, polarities, st.floats(0, 1))),
    st.tuples(st.just("customer"), spoken, st.just(UNHEARD)),
    st.tuples(st.just("agent"), st.booleans()),
    st.tuples(st.just("quiet"), st.floats(0.1, 25)),
    st.tuples(st.just("tone"), st.sampled_from(["music", "dtmf"])),
    st.tuples(st.just("context"), st.sampled_from(["C-1", "C-2"])),
    st.tuples(st.just("act"), st.sampled_from(["ack", "contacted", "close"]), st.sampled_from(["0190-call:alert", "other-call:alert"])),
)


def play(script) -> Conversation:
    call = Conversation(config={"privacy": Privacy.TRANSCRIPT})
    for name, *what in script:
        match name:
            case "customer":
                call.customer(*what)
            case "agent":
                call.agent(interrupted=what[0])
            case "quiet":
                call.quiet(what[0])
            case "tone":
                call.tone(what[0])
            case "context":
                call.command(CallContext(customer_ref=what[0]))
            case "act":
                call.command(AlertAction(alert=what[1], action=what[0], by="maria"))
    return call.over()


@pytest.mark.takes(1)
@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=25))
def test_whatever_is_said_every_event_is_valid_and_every_alert_lives_once(script):
    call = play(script)
    for event in call.events:
        told = msgspec.json.decode(msgspec.json.encode(event.data), type=type(event.data))
        assert told == event.data
    assert len({event.id for event in call.events}) == len(call.events)
    lives: dict[str, list[Alert]] = {}
    for alert in call.alerts:
        lives.setdefault(alert.alert, []).append(alert)
    for life in lives.values():
        assert [alert.revision for alert in life] == list(range(1, len(life) + 1))
        assert life[0].state == "new"
        assert (life[-1].state, life[-1].end_reason is not None) == ("end", True)
        for before, after in pairwise(life):
            # It is new again only after an end, and after a move always; an update follows no end.
            assert (after.state == "new") <= (before.state == "end")
            assert (before.end_reason == "moved") <= (after.state == "new" and after.route == before.moved_to != before.route)
            assert (after.state == "update") <= (before.state != "end")
            assert (after.route != before.route) <= (after.state == "new")
        assert all((alert.state == "end") == (alert.end_reason is not None) for alert in life)
        assert [alert.updated_at for alert in life] == sorted(alert.updated_at for alert in life)
        for before, after in pairwise(life):
            assert after.severity_level >= before.severity_level or after.state == "new"
        for alert in life:
            standing = [reason.severity_level for reason in alert.reasons if not reason.withdrawn]
            assert alert.severity_level >= max(standing, default=0)
    assert len(lives) <= 1


@settings(max_examples=20, deadline=None)
@given(st.lists(steps, max_size=15))
def test_whatever_is_said_the_summary_is_the_sum_of_its_windows(script):
    call = play(script)
    told, windows = call.data(Summary)[0], call.data(Metrics)
    assert sum(window.silence_ms for window in windows) == told.silence_ms
    assert sum(window.dead_air_ms for window in windows) == told.dead_air_ms
    assert sum(window.roles[0].talk_ms for window in windows) == told.roles[0].talk_ms
    assert told.dead_air_ms <= told.silence_ms <= told.duration_ms
    assert told.longest_silence_ms == max((window.longest_silence_ms for window in windows), default=0)
