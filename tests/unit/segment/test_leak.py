"""The agent is never scored: whatever of the agent's sound is on the customer's channel, at any level, late, with DC, noise and codecs."""

from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edge.segment.common_sound import CommonSound, carries_the_same
from edge.segment.dc import DcRemover
from edge.segment.segmenter import Segmenter
from edge.segment.synthetic import speech
from edge.signal.pcm import alaw, mulaw
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, ClosedBy, Frame, Role, Utterance

BOTH = (Role.CUSTOMER, Role.AGENT)
CODECS = {"none": lambda pcm: pcm, "mulaw": mulaw, "alaw": alaw}
SECOND = SAMPLE_RATE
gains = st.one_of(st.floats(-30, 6), st.sampled_from([0.0, -4.0, -12.0]))
lines = st.fixed_dictionaries(
    {
        "gain_db": gains,
        "delay_ms": st.floats(0, 60),
        "dc": st.sampled_from([0.0, 0.03, -0.03]),
        "noise_dbfs": st.sampled_from([-75.0, -60.0, -50.0]),
        "codec": st.sampled_from(list(CODECS)),
        "back_db": st.sampled_from([None, -15.0, -25.0]),
    }
)
# Each example is half a minute of sound: a failing one is told as it is.
few = settings(max_examples=5, deadline=None, phases=(Phase.explicit, Phase.generate))


@cache
def piece(seed: int, pitch_hz: float) -> np.ndarray:
    return speech(3.0, seed=seed, pitch_hz=pitch_hz)[: 3 * SECOND]


def said(turns: str, who: str, *, seed: int, pitch_hz: float) -> np.ndarray:
    """`turns` ("aca": agent, customer, agent), 3 s each with 0.8 s between, as the channel of `who` would have them alone."""
    sound = np.zeros(int(SECOND * (0.5 + 3.8 * len(turns))))
    for n, turn in enumerate(turns):
        if turn == who:
            at = int(SECOND * (0.5 + 3.8 * n))
            sound[at : at + 3 * SECOND] = piece(seed + n, pitch_hz)
    return sound


def on_line(agent, customer, *, gain_db, delay_ms=0.0, dc=0.0, noise_dbfs=-75.0, codec="none", back_db=None) -> np.ndarray:
    """Customer's and agent's channels, int16 (2, samples): the agent leaks into the customer's, late, and maybe the other way round."""
    rng = np.random.default_rng(1)
    late = np.concatenate([np.zeros(int(delay_ms * SECOND / 1000)), agent])[: len(agent)] * 10 ** (gain_db / 20)
    sound = np.stack([customer + late, agent + (customer * 10 ** (back_db / 20) if back_db is not None else 0)])
    sound += rng.normal(0, 10 ** (noise_dbfs / 20) * 32768, sound.shape)
    coded = [CODECS[codec](np.clip(np.rint(channel), -32768, 32767).astype(np.int16)) for channel in sound]
    return np.clip(np.stack(coded).astype(np.int32) + round(dc * 32768), -32768, 32767).astype(np.int16)


def utterances(pcm, roles=BOTH) -> tuple[list[Utterance], Segmenter]:
    segmenter = Segmenter(roles=roles)
    events = list(segmenter.open_call())
    for start in range(0, pcm.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        events += segmenter.feed(Frame(start=start, pcm=np.ascontiguousarray(pcm[:, start : start + FRAME_SAMPLES])))
    return [event for event in (*events, *segmenter.close_call(ClosedBy.COMMAND)) if isinstance(event, Utterance)], segmenter


def customers_voice(heard: list[Utterance], turns: str) -> dict[str, float]:
    """Seconds of voice in customer utterances, by whose turn it was."""
    seconds = dict.fromkeys("ac", 0.0)
    for utterance in heard:
        if utterance.role is Role.CUSTOMER:
            for place in np.flatnonzero(utterance.voiced):
                turn = int((utterance.start / SECOND + place * 0.02 - 0.5) // 3.8)
                seconds[turns[min(turn, len(turns) - 1)]] += 0.02
    return seconds


@pytest.mark.takes(2)
@few
@given(lines, st.sampled_from(["ac", "ca", "aca", "acac"]), st.integers(1, 4))
def test_an_agent_on_the_customers_channel_is_no_customer_at_any_level(line, turns, seed):
    agent, customer = said(turns, "a", seed=seed, pitch_hz=110), said(turns, "c", seed=seed + 100, pitch_hz=200)
    heard, _ = utterances(on_line(agent, customer, **line))
    # A pre-roll (0.3 s) reaches back into the turn before: 0.16 s of it were the most that was seen.
    assert customers_voice(heard, turns)["a"] <= 0.3


@pytest.mark.takes(3)
@few
@given(lines, st.integers(1, 4))
def test_an_agent_alone_is_nobodys_customer(line, seed):
    agent = said("aaa", "a", seed=seed, pitch_hz=120)
    heard, _ = utterances(on_line(agent, np.zeros_like(agent), **line))
    assert [one for one in heard if one.role is Role.CUSTOMER] == []


@pytest.mark.takes(3)
@few
@given(lines, st.integers(1, 4))
def test_the_customer_is_still_heard_beside_the_agents_leak(line, seed):
    """Once the agent has been heard: what begins on the customer's channel, and is louder there, is the customer's."""
    turns = "acac"
    agent, customer = said(turns, "a", seed=seed, pitch_hz=110), said(turns, "c", seed=seed + 100, pitch_hz=200)
    heard, segmenter = utterances(on_line(agent, customer, **line))
    assert customers_voice(heard, turns)["c"] >= 2.0
    assert not segmenter.same_sound


# From here on a copy on the customer's channel is no leak of the agent's, whatever codec and path took of it.
_SURELY_LIKE_DB = -0.5


@pytest.mark.takes(3)
@few
@given(
    st.floats(-2, 2),
    st.floats(0, 30),
    st.sampled_from(list(CODECS)),
    st.sampled_from([-75.0, -55.0]),
    st.sampled_from(["acac", "aaaa", "caca"]),
)
def test_two_channels_of_one_sound_are_one_mixed_line(gain_db, delay_ms, codec, noise_dbfs, turns):
    mixed = said(turns, "a", seed=3, pitch_hz=110) + said(turns, "c", seed=4, pitch_hz=200)
    pcm = on_line(mixed, np.zeros_like(mixed), gain_db=gain_db, delay_ms=delay_ms, codec=codec, noise_dbfs=noise_dbfs)
    heard, segmenter = utterances(pcm)
    assert [one for one in heard if one.role is Role.CUSTOMER] == []
    if gain_db < _SURELY_LIKE_DB:
        # Softer and late it may be the agent's leak as well: nobody's customer either way.
        return
    assert segmenter.same_sound
    late = [one for one in heard if one.start > 8 * SECOND]
    assert late
    assert {(one.role, one.channel) for one in late} == {(Role.MIXED, 0)}


@pytest.mark.takes(1)
@pytest.mark.parametrize("gain_db", [8.0, -8.0])
def test_copies_of_unlike_level_are_nobodys_customer(gain_db):
    """The softer one is a leak for good; the louder one is known for a copy in the end."""
    mixed = said("acacacac", "a", seed=3, pitch_hz=110) + said("acacacac", "c", seed=4, pitch_hz=200)
    heard, segmenter = utterances(on_line(mixed, np.zeros_like(mixed), gain_db=gain_db))
    assert [one for one in heard if one.role is Role.CUSTOMER] == []
    assert segmenter.same_sound == (gain_db > 0)


@pytest.mark.takes(1)
def test_roles_the_other_way_round_are_heard_the_same():
    turns = "acac"
    pcm = on_line(said(turns, "a", seed=5, pitch_hz=110), said(turns, "c", seed=6, pitch_hz=200), gain_db=-4.0, delay_ms=20, dc=0.03)
    one, _ = utterances(pcm)
    other, _ = utterances(pcm[::-1], roles=BOTH[::-1])
    assert [(u.role, u.start, u.end) for u in one if u.role is Role.CUSTOMER] == [
        (u.role, u.start, u.end) for u in other if u.role is Role.CUSTOMER
    ]
    assert customers_voice(other, turns)["a"] <= 0.1


@given(st.integers(-12_000, 12_000), st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_an_offset_is_taken_off_and_nothing_else(offset, seed):
    plain = speech(2.0, seed=seed)[None].astype(np.int32) // 2
    remover = DcRemover(1)
    clean = np.concatenate(
        [
            remover.remove(Frame(start=at, pcm=(plain[:, at : at + FRAME_SAMPLES] + offset).astype(np.int16))).pcm[0]
            for at in range(0, plain.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES)
        ]
    )
    settled = clean[SECOND:].astype(np.float64)
    wanted = plain[0, SECOND : len(clean)].astype(np.float64)
    assert abs(float(np.mean(settled))) < 60
    assert np.std(settled - wanted) < 60


def test_a_line_without_an_offset_is_handed_on_untouched_and_a_hole_stays_silent():
    remover = DcRemover(2)
    frame = Frame(start=0, pcm=np.zeros((2, FRAME_SAMPLES), np.int16))
    assert remover.remove(frame) is frame
    hole = Frame(start=FRAME_SAMPLES, pcm=np.zeros((2, FRAME_SAMPLES), np.int16), lost=True)
    assert remover.remove(hole) is hole


@given(st.floats(-60, 60), st.floats(-20, 6), st.sampled_from(list(CODECS)), st.integers(0, 30))
@settings(max_examples=20, deadline=None)
def test_the_lag_and_level_of_a_copy_are_known(delay_ms, gain_db, codec, seed):
    sound = speech(2.0, seed=seed).astype(np.float64)
    shift = round(delay_ms * 16)
    first, second = sound[1000 : 1000 + SECOND], sound[1000 + shift : 1000 + shift + SECOND]
    pcm = np.stack([CODECS[codec](np.rint(channel).astype(np.int16)) for channel in (first * 10 ** (gain_db / 20) / 2, second / 2)])
    common = CommonSound()
    for at in range(0, SECOND, FRAME_SAMPLES):
        common.update(pcm[:, at : at + FRAME_SAMPLES], voice=True)
    assert common.likeness > 0.6
    assert common.lag == pytest.approx(shift, abs=3)


def test_the_doctor_knows_one_sound_on_two_channels_from_two_speakers():
    one, other = speech(1.0, seed=1), speech(1.0, seed=2, pitch_hz=200)
    assert carries_the_same(np.stack([one, one // 2 + one // 3]))
    assert not carries_the_same(np.stack([one, other]))
    assert not carries_the_same(np.stack([one, one // 8]))
    assert not carries_the_same(np.zeros((2, SECOND), np.int16))
