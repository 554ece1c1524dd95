"""The segmenter's parts: who may make a CustomerUtterance, what is voice, where utterances are cut, what is a tone."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.segment.activity import VoiceActivity, Voicing
from edge.segment.crosstalk import CustomerUtterance, customer_utterance
from edge.segment.plan import load_plan
from edge.segment.segmenter import Segmenter
from edge.segment.spectrum import SpectrumAnalyser
from edge.segment.tones import ToneTracker
from edge.segment.utterances import Endpointer, EndpointerFrame
from edge.values import FRAME_SAMPLES, Activity, ClosedBy, Frame, OpenedBy, Role, SpeechAudio, SpeechDropped, SpeechStarted, Utterance


def utterance(role: Role) -> Utterance:
    return Utterance(
        channel=0, role=role, start=0, end=320, speech_end=320, pcm=np.zeros(320, np.int16), voiced=np.ones(1, np.bool_), turn=0
    )


def test_only_the_customers_speech_becomes_a_customer_utterance():
    heard = utterance(Role.CUSTOMER)
    customer = customer_utterance(heard)
    assert customer is not None
    assert customer.utterance is heard
    assert [customer_utterance(utterance(role)) for role in (Role.AGENT, Role.MIXED, Role.SYSTEM)] == [None, None, None]


def test_nobody_else_can_make_a_customer_utterance():
    agent = utterance(Role.AGENT)
    with pytest.raises(TypeError, match=r"only edge\.segment\.crosstalk"):
        CustomerUtterance(agent)
    with pytest.raises(TypeError, match=r"only edge\.segment\.crosstalk"):
        CustomerUtterance(agent, mint=object())
    with pytest.raises(TypeError, match="cannot be extended"):
        type("Forged", (CustomerUtterance,), {})
    customer = customer_utterance(utterance(Role.CUSTOMER))
    with pytest.raises(TypeError, match="frozen"):
        customer._utterance = agent
    with pytest.raises(TypeError, match="neither copied nor stored"):
        copy.copy(customer)
    with pytest.raises(TypeError, match="neither copied nor stored"):
        pickle.dumps(customer)


def voicings(sound: np.ndarray) -> list[Voicing]:
    ear, activity = SpectrumAnalyser(), VoiceActivity()
    pcm = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
    return [
        activity.update(ear.analyse(pcm[None, i : i + FRAME_SAMPLES]))[0] for i in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]


@pytest.mark.parametrize("dbfs", [-70, -50, -30, -15])
def test_steady_noise_of_any_level_is_no_voice(dbfs):
    noise = np.random.default_rng(1).normal(0, 10 ** (dbfs / 20), 16000 * 10)
    assert sum(v.active for v in voicings(noise)) == 0


def test_the_noise_floor_is_known_within_two_decibels():
    noise = np.random.default_rng(1).normal(0, 10 ** (-40 / 20), 16000 * 6)
    # The bands hold 250 to 3500 Hz of white noise's 8 kHz: 3.9 dB less.
    assert voicings(noise)[-1].floor_dbfs == pytest.approx(-43.9, abs=2)


def test_hum_that_begins_in_the_middle_is_no_voice_for_long():
    time = np.arange(16000 * 8) / 16000
    hum = sum(np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 20)) * 0.03 * (time > 3)
    noise = np.random.default_rng(1).normal(0, 1e-3, len(time))
    assert sum(v.active for v in voicings(hum + noise)) <= 25


@pytest.mark.parametrize("seconds", [0.15, 0.25, 0.5, 2.0])
def test_a_beep_that_no_plan_knows_is_nobodys_utterance(seconds):
    time = np.arange(16000 * 6) / 16000
    beep = 0.1 * np.sin(2 * np.pi * 730 * time) * ((time > 2) & (time < 2 + seconds))
    pcm = ((beep + np.random.default_rng(1).normal(0, 1e-3, len(time))) * 32767).astype(np.int16)
    segmenter = Segmenter(roles=(Role.CUSTOMER,))
    segment_events = list(segmenter.open_call())
    for start in range(0, len(pcm), FRAME_SAMPLES):
        segment_events += segmenter.feed(Frame(start=start, pcm=pcm[None, start : start + FRAME_SAMPLES]))
    assert utterances([*segment_events, *segmenter.close_call(ClosedBy.COMMAND)]) == []


def heard(place: int, *, active: bool, level_dbfs: float = -20.0) -> EndpointerFrame:
    # Every sample has a value of its own, so that a sample handed over twice would show.
    pcm = (np.arange(FRAME_SAMPLES) + place * FRAME_SAMPLES).astype(np.int64).astype(np.int16)
    voicing = Voicing(active=active, periodic=active, floor_dbfs=-60.0)
    return EndpointerFrame(start=place * FRAME_SAMPLES, pcm=pcm, voicing=voicing, level_dbfs=level_dbfs if active else -60.0, lost=False)


def run(flags: list[bool], levels: list[float] | None = None) -> list[object]:
    endpointer = Endpointer(0, Role.CUSTOMER)
    segment_events: list[object] = []
    for place, active in enumerate(flags):
        segment_events += endpointer.update(heard(place, active=active, level_dbfs=levels[place] if levels else -20.0))
    return [*segment_events, *endpointer.close()]


def utterances(segment_events: list[object]) -> list[Utterance]:
    return [event for event in segment_events if isinstance(event, Utterance)]


def test_an_utterance_has_its_pre_roll_and_its_hangover():
    (spoken,) = utterances(run([False] * 50 + [True] * 50 + [False] * 50))
    assert (spoken.start, spoken.speech_end, spoken.end) == (35 * 320, 100 * 320, 125 * 320)
    assert spoken.voiced.tolist() == [False] * 15 + [True] * 50 + [False] * 25


def test_a_short_pause_does_not_end_an_utterance_and_a_long_one_does():
    assert len(utterances(run([True] * 30 + [False] * 24 + [True] * 30 + [False] * 40))) == 1
    assert len(utterances(run([True] * 30 + [False] * 26 + [True] * 30 + [False] * 40))) == 2


def test_too_little_voice_is_dropped_not_told():
    segment_events = run([False] * 20 + [True] * 7 + [False] * 40)
    assert utterances(segment_events) == []
    assert isinstance(segment_events[-1], SpeechDropped)


def test_the_next_pre_roll_never_reaches_into_the_hangover_before():
    first, second = utterances(run([False] * 20 + [True] * 30 + [False] * 27 + [True] * 30 + [False] * 40))
    assert second.start == first.end


def test_a_monologue_is_cut_at_its_quietest_200_ms_between_12_and_20_seconds():
    levels = [-20.0] * 1200
    levels[700:710] = [-40.0] * 10
    levels[820:830] = [-45.0] * 10
    first, second = utterances(run([True] * 1200 + [False] * 30, [*levels, *[-60.0] * 30]))
    assert (first.start, first.end) == (0, 825 * 320)
    assert second.start == first.end
    assert (first.turn, first.part, second.turn, second.part) == (0, 0, 0, 1)


def test_a_monologue_is_cut_at_once_where_it_pauses():
    first, _second = utterances(run([True] * 650 + [False] * 12 + [True] * 300 + [False] * 30))
    assert 650 * 320 < first.end <= 662 * 320


def test_nobody_speaks_longer_than_20_seconds_in_one_utterance():
    parts = utterances(run([True] * 3100))
    assert max(part.end - part.start for part in parts) <= 20 * 16000
    assert {part.turn for part in parts} == {0}


@pytest.mark.takes(3)
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 400)), min_size=1, max_size=12), st.integers(0, 2**31))
def test_every_sample_is_handed_over_once_and_makes_up_the_utterance(runs, seed):
    flags = [active for active, length in runs for _ in range(length)]
    levels = np.random.default_rng(seed).uniform(-40, -10, len(flags)).tolist()
    pieces: list[SpeechAudio] = []
    last_end = 0
    for event in run(flags, levels):
        match event:
            case SpeechStarted(start=start):
                assert start >= last_end
                pieces = []
            case SpeechAudio():
                assert event.start >= last_end
                last_end = event.start + len(event.pcm)
                pieces.append(event)
            case Utterance():
                assert np.array_equal(np.concatenate([piece.pcm for piece in pieces]), event.pcm)
                assert (pieces[0].start, last_end) == (event.start, event.end)
                assert event.end - event.start == len(event.pcm) == len(event.voiced) * FRAME_SAMPLES


@pytest.mark.parametrize(("hz", "on_s", "name"), [((480, 620), 0.5, "busy"), ((480, 620), 0.25, "reorder"), ((350, 440), 5.0, "dial")])
def test_a_tone_that_closed_a_call_is_heard_again_when_it_closes_the_next_one_seconds_later(hz, on_s, name):
    t = np.arange(round(16_000 * on_s)) / 16_000
    rounds = 6 if on_s < 1 else 1
    tone = np.tile(np.concatenate([sum(0.1 * np.sin(2 * np.pi * f * t) for f in hz), np.zeros(len(t) if rounds > 1 else 0)]), rounds)
    sound = np.concatenate([tone, np.zeros(16_000 * 3), tone, np.zeros(16_000)])
    pcm = (sound * 32767 + np.random.default_rng(1).normal(0, 10, len(sound))).astype(np.int16)
    ear, tracker, told = SpectrumAnalyser(), ToneTracker(0, load_plan("us")), []
    for start in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        told += tracker.update(start, ear.analyse(pcm[None, start : start + FRAME_SAMPLES]).channels[0])
    assert [signal.name for signal in told] == [name, name]
    assert told[1].start >= len(tone) + 16_000 * 3 - 2 * FRAME_SAMPLES


def test_a_tone_plan_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ConfigError, match="no tone plan 'mars'; there are: eu, uk, us"):
        Segmenter(roles=(Role.CUSTOMER,), tone_plan="mars")


def test_a_call_opened_by_command_begins_now_and_ends_by_command():
    segmenter = Segmenter(roles=(Role.CUSTOMER, Role.AGENT))
    silence = np.zeros((2, FRAME_SAMPLES), np.int16)
    for place in range(100):
        assert list(segmenter.feed(Frame(start=place * FRAME_SAMPLES, pcm=silence))) == []
    (opened,) = segmenter.open_call(OpenedBy.COMMAND)
    assert (opened.start, opened.opened_by, segmenter.in_call) == (32000, "command", True)
    for place in range(100, 200):
        assert all(isinstance(event, Activity) for event in segmenter.feed(Frame(start=place * FRAME_SAMPLES, pcm=silence)))
    *rest, closed = segmenter.close_call(ClosedBy.COMMAND)
    assert all(isinstance(event, Activity) for event in rest)
    assert (closed.end, closed.closed_by, segmenter.in_call) == (64000, "command", False)
    assert list(segmenter.close_call(ClosedBy.COMMAND)) == []
