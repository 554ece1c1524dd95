"""How well each pitch explains the harmonics that a telephone lets through, frame by frame.

A line cuts off the fundamental of most voices, and 40 mel bands blur what tells it; the distances of the harmonics from 300 to
2300 Hz still hold it. After SWIPE (Camacho and Harris 2008, J. Acoust. Soc. Am. 124, 1638): the spectrum's square roots against a
kernel of cosine lobes, up at the harmonics of a pitch and down between them.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.signal.spec import SPEC
from edge.values import Pcm

# Speech reaches about 0.5; the rest of -1..1 would be lost to int8.
_GAIN = 1.5
# Beside it, the rounding of 16 bits in a silent frame has no pitch.
_SILENCE = 1.0
# Frames that are transformed together: with all at once, getting the memory costs three times what the transform does (measured).
_AT_ONCE = 30


def pitch_salience(pcm: Pcm, frames: int) -> NDArray[np.float32]:
    """The salience of each pitch in the first `frames` frames of `pcm` (int16, mono, 16 kHz): float32, (frames, bands), -1..1.

    Pitches are even in logarithm from SPEC.pitch_low_hz to SPEC.pitch_high_hz. Frames are those of `logmel.log_mel`, their longer
    windows around the same centres.
    """
    size, hop = SPEC.pitch_window_samples, SPEC.hop_samples
    before = (size - SPEC.window_samples) // 2
    around = np.concatenate([np.zeros(before), pcm.astype(np.float64), np.zeros(size)])
    pieces = np.lib.stride_tricks.sliding_window_view(around, size)[::hop][:frames]
    power = np.empty((len(pieces), len(_kernels())))
    for start in range(0, len(pieces), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        spectrum = np.fft.rfft(pieces[part] * _hann())[:, _bins()]
        power[part] = np.square(spectrum.real) + np.square(spectrum.imag)
    root = np.sqrt(np.sqrt(power))
    root /= np.linalg.norm(root, axis=1, keepdims=True) + _SILENCE
    return np.asarray(np.clip(_GAIN * (root @ _kernels()), -1.0, 1.0), np.float32)


@cache
def _hann() -> NDArray[np.float64]:
    size = SPEC.pitch_window_samples
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size))


@cache
def _bins() -> slice:
    width = SPEC.rate / SPEC.pitch_window_samples
    return slice(int(np.ceil(SPEC.low_hz / width)), int(SPEC.harmonics_to_hz / width) + 1)


@cache
def _kernels() -> NDArray[np.float64]:
    """float64, (bins, bands): one kernel a pitch, without mean and of length one, so that neither level nor tilt counts."""
    bins = _bins()
    hz = np.arange(bins.start, bins.stop)[:, None] * SPEC.rate / SPEC.pitch_window_samples
    order = hz / np.geomspace(SPEC.pitch_low_hz, SPEC.pitch_high_hz, SPEC.bands)
    off = np.abs(order - np.rint(order))
    # A quarter of the way to the next harmonic the lobe turns; the valley counts half, as SWIPE has it.
    lobes = np.where(off < 0.25, 1.0, 0.5) * np.cos(2.0 * np.pi * off) / np.sqrt(hz)  # noqa: PLR2004
    lobes -= lobes.mean(axis=0)
    return np.asarray(lobes / np.linalg.norm(lobes, axis=0))
