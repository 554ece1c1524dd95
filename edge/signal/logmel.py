"""Band levels of speech in the telephone band: the first plane of the voice model's features."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.signal.spec import SPEC
from edge.values import Pcm

# Below the quantisation noise of 16 bits in one band: digital silence has a number.
_EMPTY_DB = -20.0


def log_mel(pcm: Pcm) -> NDArray[np.float32]:
    """Band levels of `pcm` (int16, mono, 16 kHz): float32, (frames, bands), dB re one step of 16 bits. At least one frame."""
    size = SPEC.window_samples
    if len(pcm) < size:
        pcm = np.concatenate([pcm, np.zeros(size - len(pcm), np.int16)])
    pieces = np.lib.stride_tricks.sliding_window_view(pcm, size)[:: SPEC.hop_samples]
    spectrum = np.fft.rfft(pieces * _hann())[:, _band_bins()]
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    bands = power @ _filters()
    return np.asarray(10.0 * np.log10(np.maximum(bands, 10.0 ** (_EMPTY_DB / 10.0))), np.float32)


@cache
def _hann() -> NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(SPEC.window_samples) / SPEC.window_samples))


@cache
def _edges() -> NDArray[np.float64]:
    """The corners of the triangular bands in Hz, even in mel (O'Shaughnessy: 1127 ln(1 + f/700))."""
    low, high = (1127.0 * np.log1p(f / 700.0) for f in (SPEC.low_hz, SPEC.high_hz))
    return np.asarray(700.0 * np.expm1(np.linspace(low, high, SPEC.bands + 2) / 1127.0))


@cache
def _band_bins() -> slice:
    """The bins of the FFT that lie in the band; no others are ever looked at."""
    width = SPEC.rate / SPEC.window_samples
    return slice(int(np.ceil(SPEC.low_hz / width)), int(np.floor(SPEC.high_hz / width)) + 1)


@cache
def _filters() -> NDArray[np.float64]:
    """float64, (bins, bands): triangles over the bins, each at least as wide as a bin, summing to one."""
    width = SPEC.rate / SPEC.window_samples
    bins = _band_bins()
    hz = np.arange(bins.start, bins.stop)[:, None] * width
    edges = _edges()
    # The lowest bands are narrower than a bin: widened to one, so that none falls between two bins.
    left = np.minimum(edges[:-2], edges[1:-1] - width)
    right = np.maximum(edges[2:], edges[1:-1] + width)
    rise, fall = (hz - left) / (edges[1:-1] - left), (right - hz) / (right - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rise, fall))
    # A full-scale sine must not depend on the window's size.
    return np.asarray(triangles / triangles.sum(axis=0) / np.sum(_hann()) ** 2 * 4.0)
