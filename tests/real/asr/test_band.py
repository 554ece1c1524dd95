"""The empty band above the telephone's is filled with the line's own noise, the same every time, and Vosk hears the better for it."""

import numpy as np
import pytest

from edge.asr.band import EmptyBand
from edge.asr.recogniser import Engine
from edge.asr.vosk_model import find_vosk
from edge.config import Config
from edge.signal.resample import frames
from edge.values import SAMPLE_RATE
from tests.calls.build import build
from tests.calls.drawn import dialogue
from tests.calls.voices import MISSING

_BLOCK = SAMPLE_RATE // 5


def in_band(steps: float, seconds: int = 20) -> np.ndarray:
    """Noise of a telephone line: int16, nothing above 3.4 kHz, so many steps strong."""
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=seconds * SAMPLE_RATE))
    hertz = np.fft.rfftfreq(seconds * SAMPLE_RATE, 1 / SAMPLE_RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    noise = np.fft.irfft(spectrum)
    return np.rint(noise * steps / noise.std()).astype(np.int16)


def filled(pcm: np.ndarray) -> np.ndarray:
    band = EmptyBand()
    return np.concatenate([band.fill(pcm[at : at + _BLOCK]) for at in range(0, len(pcm), _BLOCK)])


def power(pcm: np.ndarray, low: int, high: int) -> float:
    """Mean power in a band, a Hz."""
    spectrum = np.abs(np.fft.rfft(pcm.astype(float))) ** 2
    return float(spectrum[low * len(pcm) // SAMPLE_RATE : high * len(pcm) // SAMPLE_RATE].mean())


@pytest.mark.parametrize("steps", [10, 40, 80])
def test_the_lines_noise_goes_on_above_the_band_as_strong_as_within_it(steps):
    noise = in_band(steps)
    out = filled(noise)
    assert power(noise, 4000, 8000) < 0.01 * power(noise, 1000, 3000)
    assert 0.5 < power(out, 4000, 8000) / power(out, 1000, 3000) < 2
    assert power(out, 1000, 3000) == pytest.approx(power(noise, 1000, 3000), rel=0.05)


def test_sound_without_noise_gets_one_step_and_loud_sound_stays_in_range():
    assert np.abs(filled(np.zeros(SAMPLE_RATE, np.int16))).max() < 6
    loud = np.full(SAMPLE_RATE, 32767, np.int16)
    assert filled(loud).min() > 32000
    assert (filled(in_band(40)) == filled(in_band(40))).all()


@pytest.mark.skipif(find_vosk(Config()) is None, reason="no speech recogniser here: run `undertone fetch-model`")
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_a_noisy_telephone_line_is_heard_of_which_bare_vosk_hears_next_to_nothing():
    recording = build(dialogue(4))
    first = recording.spoken[0]
    channel = recording.roles.index("agent")
    pcm = np.concatenate([frame.pcm[channel] for frame in frames(recording.blocks())])[: int((first.end + 0.4) * SAMPLE_RATE)]
    recogniser = Engine(find_vosk(Config())).channel()
    recogniser.accept(0, pcm)
    heard = {word.text for word in recogniser.result()}
    assert len({"could", "please", "tell", "me", "the", "number", "of", "your", "last"} & heard) >= 4
