"""The scripted calls through the segmenter: boundaries, turns, interruptions, tones, leaks, whatever the chunks."""

from functools import cache

import numpy as np
import pytest

from edge.segment.crosstalk import customer_utterance
from edge.signal.resample import frames
from edge.values import (
    FRAME_SAMPLES,
    Activity,
    CallClosed,
    CallOpened,
    SegmentEvent,
    SpeechAudio,
    SpeechDropped,
    SpeechStarted,
    ToneHeard,
    Utterance,
)
from tests.calls.build import build
from tests.calls.measure import Found, drawn, f1, find, idle_line, segment, suite
from tests.calls.voices import MISSING

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no speech synthesis here: install {' and '.join(MISSING)}")


@cache
def found(name: str) -> Found:
    return find({**suite(), **drawn()}[name])


@pytest.mark.parametrize("name", suite())
def test_a_scripted_call_is_cut_where_its_script_says(name):
    call = found(name)
    assert [closed_by for _, _, closed_by in call.calls] == [closed_by for _, _, closed_by in call.calls_wanted]
    assert call.turns_missed == ()
    assert call.turns_invented == 0
    expect = suite()[name]["expect"]
    assert set(expect.get("tones", [])) <= set(call.tones)
    for role, count in expect.get("utterances", {}).items():
        assert count in ("any", call.utterances[role])


def test_boundaries_interruptions_and_dead_air_over_all_calls():
    calls = [found(name) for name in {**suite(), **drawn()}]
    assert len(suite()) >= 30
    assert np.percentile(np.abs([error for call in calls for error in call.call_errors]), 95) <= 0.5
    assert np.percentile(np.abs([error for call in calls for error in call.turn_errors]), 95) <= 0.5
    assert f1(call.interruptions for call in calls) >= 0.9
    assert f1(call.dead_airs for call in calls) >= 0.9


def same(one: list[SegmentEvent], other: list[SegmentEvent]) -> bool:
    """Equality that looks into arrays (a dataclass's own == does not)."""

    def plain(event: SegmentEvent) -> tuple[object, ...]:
        values = (getattr(event, name) for name in event.__slots__)
        return (type(event).__name__, *(value.tolist() if isinstance(value, np.ndarray) else value for value in values))

    return [plain(event) for event in one] == [plain(event) for event in other]


@pytest.mark.parametrize("name", suite())
def test_the_frames_are_the_same_for_7_ms_and_200_ms_chunks(name):
    recording = build(suite()[name])
    for one, other in zip(frames(recording.blocks(7)), frames(recording.blocks(200)), strict=True):
        assert (one.start, one.lost) == (other.start, other.lost)
        assert np.array_equal(one.pcm, other.pcm)


@pytest.mark.parametrize("name", ["packet_loss", "break_in_both_ways", "back_to_back_with_busy"])
def test_the_happenings_are_the_same_for_7_ms_and_200_ms_chunks(name):
    recording = build(suite()[name])
    assert same(segment(recording, chunk_ms=7), segment(recording, chunk_ms=200))


@pytest.mark.parametrize("name", ["break_in_both_ways", "back_to_back_with_busy", "hold_announcements", "monologue", "two_calls_apart"])
def test_happenings_come_in_the_order_that_their_readers_rely_on(name):
    in_call, start, reached, open_on = False, 0, 0, dict[int, list[np.ndarray]]()
    for event in found(name).segment_events:
        match event:
            case CallOpened():
                assert not in_call
                in_call, start = True, event.start
                assert start >= reached
            case CallClosed():
                assert in_call
                assert open_on == {}
                assert event.end >= reached
                in_call = False
            case SpeechStarted():
                assert event.channel not in open_on
                assert event.start >= start
                open_on[event.channel] = []
            case SpeechAudio():
                open_on[event.channel].append(event.pcm)
            case SpeechDropped():
                del open_on[event.channel]
            case Utterance():
                assert np.array_equal(np.concatenate(open_on.pop(event.channel)), event.pcm)
                reached = max(reached, event.speech_end)
            case Activity() | ToneHeard():
                assert in_call
    assert not in_call


def test_activity_has_every_frame_of_a_call_once():
    (opened,) = [h for h in found("calm_address").segment_events if isinstance(h, CallOpened)]
    starts = [h.start for h in found("calm_address").segment_events if isinstance(h, Activity)]
    assert starts[0] == opened.start
    assert np.all(np.diff(starts) == FRAME_SAMPLES)


_ANGRY_AGENT = [
    {"agent": "This is unacceptable, you are wasting my time, and I am furious with you!", "dbfs": -10, "pitch": 1.25},
    {"agent": "I hate these stupid calls, and I have had enough of them!", "dbfs": -14, "after": 2.0},
]


@pytest.mark.parametrize("sidetone_db", [-15, -20, -30, -45])
@pytest.mark.parametrize("delay_ms", [0, 4, 30, 120])
def test_an_agent_who_leaks_into_the_customers_channel_gives_no_customer_utterance(sidetone_db, delay_ms):
    script = {"sidetone_db": sidetone_db, "sidetone_ms": delay_ms, "noise_dbfs": -60, "script": _ANGRY_AGENT}
    heard = [h for h in segment(build(script), command=True) if isinstance(h, Utterance)]
    assert [customer_utterance(utterance) for utterance in heard] == [None] * len(heard)
    assert len(heard) >= 2


def test_a_customer_is_heard_through_the_leak_of_the_agent():
    (spoken,) = [
        u for u in found("sidetone_15_db").segment_events if isinstance(u, Utterance) and u.start > 16000 * 9 and u.role == "customer"
    ]
    assert spoken.interrupted is False
    assert spoken.overlap_samples == 0


def test_lost_packets_are_counted_in_the_utterances_they_hit():
    heard = [u for u in found("packet_loss").segment_events if isinstance(u, Utterance)]
    lost_ms = sum(u.lost_samples for u in heard) / 16
    assert 400 <= lost_ms <= 560


def test_overlap_is_measured_on_both_sides_of_it():
    heard = [u for u in found("break_in_by_customer").segment_events if isinstance(u, Utterance)]
    agent, customer = heard[0], heard[1]
    assert customer.interrupted
    assert not agent.interrupted
    # 2.2 s of both, less the pauses of 0.2 s and more that either makes in it.
    assert 1.0 <= customer.overlap_samples / 16000 <= 2.3
    # Each is told when it ends, and who ends first has seen less of what activity says 200 ms late.
    assert abs(agent.overlap_samples - customer.overlap_samples) <= 0.2 * 16000


def test_level_and_noise_are_measured_in_each_utterance():
    loud = [u.level_dbfs for u in found("calm_loud_customer").segment_events if isinstance(u, Utterance)]
    # The script has them 16 dB apart; the telephone band takes 5 to 8 dB off either.
    assert np.mean(loud[1::2]) - np.mean(loud[::2]) == pytest.approx(16, abs=4)
    clean = [u.snr_db for u in found("calm_bill").segment_events if isinstance(u, Utterance)]
    noisy = [u.snr_db for u in found("noisy_10_db").segment_events if isinstance(u, Utterance)]
    assert min(clean) > 20
    assert max(noisy) < 14


def test_music_tones_and_announcements_are_nobodys_utterance_and_open_no_call():
    # Five minutes here; `python -m tests.calls.measure` takes thirty.
    counts = idle_line(5)
    assert counts["seconds"] > 250
    assert (counts["utterances"], counts["calls"]) == (0, 0)
