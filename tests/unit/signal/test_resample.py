"""Any rate, any chunking, holes: the frames and the clock come out the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.signal.resample import frames, resample
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Block

RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000)


def noise(rate: int, seconds: float, channels: int = 2, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 6000, (round(rate * seconds), channels)).clip(-32768, 32767).astype(np.int16)


def tone(rate: int, seconds: float, hertz: float, peak: float = 10_000) -> np.ndarray:
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


def cut(pcm: np.ndarray, rate: int, samples: int) -> list[Block]:
    return [Block(pcm=pcm[at : at + samples], rate=rate) for at in range(0, len(pcm), samples)]


def joined(got: list) -> np.ndarray:
    return np.concatenate([frame.pcm for frame in got], axis=1)


@pytest.mark.parametrize("rate", RATES)
def test_frames_are_equal_bit_for_bit_in_7_ms_in_200_ms_and_whole(rate):
    pcm = noise(rate, 2.013)
    whole = list(frames([Block(pcm=pcm, rate=rate)]))
    for milliseconds in (7, 200):
        cut_up = list(frames(cut(pcm, rate, max(1, rate * milliseconds // 1000))))
        assert np.array_equal(joined(whole), joined(cut_up))
        assert [frame.start for frame in cut_up] == [frame.start for frame in whole]


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 900), min_size=1, max_size=40), rate=st.sampled_from(RATES))
def test_frames_do_not_depend_on_any_cutting(sizes, rate):
    pcm = noise(rate, sum(sizes) / rate)
    edges = np.cumsum(sizes)[:-1]
    parts = [Block(pcm=part, rate=rate) for part in np.split(pcm[: sum(sizes)], edges)]
    got, whole = list(frames(parts)), list(frames([Block(pcm=pcm[: sum(sizes)], rate=rate)]))
    assert len(got) == len(whole)
    assert all(np.array_equal(a.pcm, b.pcm) for a, b in zip(got, whole, strict=True))


@pytest.mark.parametrize("rate", RATES)
def test_frames_have_shape_type_and_unbroken_clock(rate):
    got = list(frames(cut(noise(rate, 2), rate, 441)))
    assert len(got) == 100
    assert [frame.start for frame in got] == list(range(0, 100 * FRAME_SAMPLES, FRAME_SAMPLES))
    assert {(frame.pcm.shape, frame.pcm.dtype.name, frame.lost) for frame in got} == {((2, 320), "int16", False)}


def test_the_last_frame_is_filled_up_with_zeros():
    got = list(frames([Block(pcm=np.full((330, 1), 77, np.int16), rate=16_000)]))
    assert len(got) == 2
    assert got[1].pcm[0, :10].tolist() == [77] * 10
    assert not got[1].pcm[0, 10:].any()


def test_16_khz_sound_passes_bit_for_bit():
    pcm = noise(16_000, 1.0)
    assert np.array_equal(joined(list(frames(cut(pcm, 16_000, 113)))), pcm.T)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_level(rate):
    got = joined(list(frames([Block(pcm=tone(rate, 1.0, 1000)[:, None], rate=rate)])))[0, 1600:14_400].astype(float)
    spectrum = np.abs(np.fft.rfft(got * np.hanning(len(got))))
    assert abs(spectrum.argmax() * SAMPLE_RATE / len(got) - 1000) < 2
    assert abs(np.sqrt(np.mean(got**2)) - 10_000 / np.sqrt(2)) < 10


def test_what_is_above_8_khz_does_not_fold_back():
    got = joined(list(frames([Block(pcm=tone(48_000, 1.0, 11_000)[:, None], rate=48_000)])))[0, 1600:14_400]
    assert np.abs(got).max() <= 1


def test_full_scale_sound_is_clipped_and_never_wraps():
    square = np.where(np.arange(8000) // 40 % 2, 32767, -32768).astype(np.int16)
    got = joined(list(frames([Block(pcm=square[:, None], rate=8000)])))[0]
    # In the middle of each half-wave the sign is the square's own.
    centres = np.arange(20, 8000 - 40, 40) * 2
    assert np.array_equal(np.sign(got[centres]), np.sign(square[centres // 2]))


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_lost_samples_advance_the_clock_as_marked_zeros(rate):
    half = tone(rate, 0.5, 400)[:, None]
    got = list(frames([Block(pcm=half, rate=rate), Block(pcm=half, rate=rate, lost=rate)]))
    assert len(got) == 100
    lost = [number for number, frame in enumerate(got) if frame.lost]
    assert lost == list(range(25, 75))
    assert not any(got[number].pcm.any() for number in lost)
    assert got[24].pcm.any()
    assert got[75].pcm.any()


def test_nothing_is_stitched_across_a_hole():
    first, second = noise(8000, 0.5, seed=2), noise(8000, 0.5, seed=3)
    got = list(frames([Block(pcm=first, rate=8000), Block(pcm=second, rate=8000, lost=800)]))
    alone = list(frames([Block(pcm=second, rate=8000)]))
    assert np.array_equal(joined(got[30:]), joined(alone))


def test_a_hole_inside_a_frame_marks_that_frame_and_keeps_the_rest_of_it():
    got = list(
        frames([Block(pcm=np.full((400, 1), 5, np.int16), rate=16_000), Block(pcm=np.full((230, 1), 6, np.int16), rate=16_000, lost=10)])
    )
    assert [frame.lost for frame in got] == [False, True]
    assert got[1].pcm[0].tolist() == [5] * 80 + [0] * 10 + [6] * 230


def test_a_block_of_loss_alone_is_a_hole():
    nothing = np.zeros((0, 2), np.int16)
    got = list(frames([Block(pcm=nothing, rate=48_000, lost=48_000)]))
    assert len(got) == 50
    assert all(frame.lost and frame.pcm.shape == (2, 320) for frame in got)


def test_odd_losses_do_not_add_up_to_a_drift():
    blocks = [Block(pcm=np.ones((441, 1), np.int16), rate=44_100, lost=1) for _ in range(1000)]
    got = list(frames(blocks))
    assert len(got) == -(-round(442_000 * SAMPLE_RATE / 44_100) // FRAME_SAMPLES)


def test_a_device_may_come_back_at_another_rate():
    got = list(frames([Block(pcm=noise(8000, 1.0), rate=8000), Block(pcm=noise(48_000, 1.0), rate=48_000)]))
    assert len(got) == 100
    assert not any(frame.lost for frame in got)


def test_frames_come_while_the_stream_goes_on():
    taken = []

    def live():
        for number in range(100):
            taken.append(number)
            yield Block(pcm=noise(8000, 0.02, seed=number), rate=8000)

    next(iter(frames(live())))
    # soxr keeps up to 100 ms back at 8 kHz.
    assert len(taken) <= 6


def test_nothing_in_nothing_out():
    assert list(frames([])) == []


@pytest.mark.parametrize("rate", RATES)
def test_a_clip_resampled_whole_equals_the_stream(rate):
    pcm = noise(rate, 0.777, channels=1)
    clip = resample(pcm[:, 0], rate)
    assert clip.dtype == np.int16
    assert len(clip) == round(len(pcm) * SAMPLE_RATE / rate)
    assert np.array_equal(joined(list(frames([Block(pcm=pcm, rate=rate)])))[0, : len(clip)], clip)
