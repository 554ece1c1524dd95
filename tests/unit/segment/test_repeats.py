"""A recording is known by coming again while nobody answers it; a caller who repeats themselves stays a caller."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.segment.repeats import apart, fingerprint
from edge.segment.segmenter import Segmenter
from edge.segment.synthetic import speech
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, ClosedBy, Frame, Role, SpeechDropped, Tone, ToneHeard, Utterance

BOTH = (Role.CUSTOMER, Role.AGENT)
PROMPT = speech(4, seed=3)


def through(sound, *, late: int = 0, gain: float = 1.0, snr_db: float = 25.0, seed: int = 1):
    """`sound` as another call's line gives it: later by so many samples, softer, in noise."""
    rng = np.random.default_rng(seed)
    clean = np.concatenate([np.zeros(late), sound * gain])
    loudness = np.sqrt(np.mean((sound * gain) ** 2))
    return np.clip(clean + rng.normal(0, loudness * 10 ** (-snr_db / 20), len(clean)), -32768, 32767).astype(np.int16)


@settings(max_examples=25)
@given(st.integers(0, 1600), st.floats(0.3, 1.5), st.floats(15, 40), st.integers(1, 9))
def test_the_same_recording_is_known_through_noise_level_and_delay(late, gain, snr_db, seed):
    assert apart(fingerprint(PROMPT), fingerprint(through(PROMPT, late=late, gain=gain, snr_db=snr_db, seed=seed))) < 0.25


@settings(max_examples=25)
@given(st.integers(10, 1000), st.floats(90, 260))
def test_other_speech_of_the_same_length_is_far_from_it(seed, pitch_hz):
    assert apart(fingerprint(PROMPT), fingerprint(speech(4, seed=seed, pitch_hz=pitch_hz))) > 0.35


@pytest.mark.parametrize("seconds", [0, 0.01, 0.1, 1])
def test_what_is_short_is_like_nothing(seconds):
    short = fingerprint(PROMPT[: round(seconds * SAMPLE_RATE)])
    assert apart(short, short) == 1.0


def said(*turns, roles=BOTH) -> list:
    """What a line makes of `turns` of (channel, sound), a second between them."""
    channels = len(roles)
    gap = np.random.default_rng(1).normal(0, 8, (channels, SAMPLE_RATE)).astype(np.int16)
    parts = [gap]
    for channel, sound in turns:
        turn = np.random.default_rng(2).normal(0, 8, (channels, len(sound))).astype(np.int16)
        turn[channel] += sound
        parts += [turn, gap]
    pcm = np.concatenate(parts, axis=1)
    segmenter = Segmenter(roles=roles)
    events = list(segmenter.open_call())
    for start in range(0, pcm.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        events += segmenter.feed(Frame(start=start, pcm=np.ascontiguousarray(pcm[:, start : start + FRAME_SAMPLES])))
    return [*events, *segmenter.close_call(ClosedBy.END_OF_RECORDING)]


def customers(events) -> int:
    return sum(isinstance(event, Utterance) and event.role is Role.CUSTOMER for event in events)


def test_what_is_played_again_while_nobody_answers_is_an_announcement_and_leaves_the_recogniser():
    events = said((0, PROMPT), (0, speech(3, seed=8)), (0, through(PROMPT, gain=0.8)), (0, through(PROMPT, seed=5)))
    assert customers(events) == 2
    assert [event.name for event in events if isinstance(event, ToneHeard)] == [Tone.ANNOUNCEMENT] * 2
    assert sum(isinstance(event, SpeechDropped) for event in events) == 2


def test_a_caller_who_says_the_same_again_after_an_answer_is_heard_again():
    assert customers(said((0, PROMPT), (1, speech(2, seed=9)), (0, PROMPT), (1, speech(2, seed=10)), (0, PROMPT))) == 3


@pytest.mark.parametrize("roles", [(Role.CUSTOMER,), (Role.MIXED,)])
def test_where_one_side_is_on_the_line_nobody_knows_whether_it_was_answered(roles):
    events = said((0, PROMPT), (0, PROMPT), (0, PROMPT), roles=roles)
    assert sum(isinstance(event, Utterance) for event in events) == 3


def test_the_next_call_begins_with_nothing_known():
    segmenter_events = said((0, PROMPT))
    assert customers(segmenter_events) == customers(said((0, PROMPT))) == 1
