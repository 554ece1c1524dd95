"""The voice model's features: log-mel windows of an utterance. Training and the box both come through here, and nowhere else.

    int16 PCM, 16 kHz  ->  spectrogram (dB, 20 ms hop, 40 bands 300-3400 Hz)  ->  windows (3 s)  ->  quantise (int8)

Everything is worked out on the whole utterance, so it cannot depend on how the stream was cut. Sums are float64, so that every
numpy gives the same float32.
"""

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.values import SAMPLE_RATE, Pcm

Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """What the features are. A bundle carries a copy; a bundle made for other features is refused."""

    version: int = 1
    rate: int = SAMPLE_RATE
    # 32 ms resolves the harmonics of most voices; 20 ms is the packet of the telephone.
    window_samples: int = 512
    hop_samples: int = 320
    bands: int = 40
    # The pass band of G.711 lines: above and below, a wideband and a telephone copy differ.
    low_hz: float = 300.0
    high_hz: float = 3400.0
    # 3 s: a short answer whole; long utterances are read in windows that overlap by half.
    frames: int = 150
    hop_frames: int = 75
    # Relative to the level of speech in the window, the range that is kept.
    floor_db: float = -40.0
    ceiling_db: float = 20.0

    def as_dict(self) -> dict[str, int | float]:
        """The spec as it stands in a manifest."""
        return asdict(self)


SPEC = FeatureSpec()
# Below the quantisation noise of 16 bits in one band: digital silence has a number.
_EMPTY_DB = -20.0
# Speech within 30 dB of its peaks carries the emotion; between words the line's noise speaks instead.
_ACTIVE_DB = 30.0
# With noise, the dip between words is less deep: speech is what stands this far up from floor to peak.
_ACTIVE_SHARE = 0.6
# 100 ms of quiet is kept on both sides, so that onsets and decays are whole.
_MARGIN_FRAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """An utterance as the net takes it.

    `features` is float32, (windows, frames, bands), -1..1 after scaling; `active` counts speech frames in each window.
    """

    features: Features
    active: NDArray[np.int64]


def spectrogram(pcm: Pcm) -> Features:
    """Band levels of `pcm` (int16, mono, 16 kHz): float32, (frames, 40), dB re one step of 16 bits. At least one frame."""
    size = SPEC.window_samples
    if len(pcm) < size:
        pcm = np.concatenate([pcm, np.zeros(size - len(pcm), np.int16)])
    pieces = np.lib.stride_tricks.sliding_window_view(pcm, size)[:: SPEC.hop_samples]
    spectrum = np.fft.rfft(pieces * _hann())[:, _band_bins()]
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    bands = power @ _filters()
    return np.asarray(10.0 * np.log10(np.maximum(bands, 10.0 ** (_EMPTY_DB / 10.0))), np.float32)


def active_frames(spectrum: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which frames of `spectrum` (float dB, (frames, bands)) hold speech rather than the quiet around it."""
    power = np.mean(10.0 ** (spectrum.astype(np.float64) / 10.0), axis=1)
    level = 10.0 * np.log10(power)
    ordered = np.sort(level)
    # The loudest 5 % and the softest 10 %, by order rather than by interpolation, so that every numpy agrees.
    peak, floor = ordered[-1 - len(ordered) // 20], ordered[len(ordered) // 10]
    return np.asarray(level >= peak - min(_ACTIVE_DB, _ACTIVE_SHARE * (peak - floor)), np.bool_)


def windows(spectrum: Features) -> Windows:
    """The windows of one utterance's `spectrum` (dB, (frames, bands)).

    Quiet before and after the speech is cut off, so that it does not matter how generously the utterance was cut. What is
    shorter than a window is repeated until it fills one. Each window is levelled to its own speech: a gain changes nothing.
    """
    active = active_frames(spectrum)
    spoken = np.flatnonzero(active)
    first = max(0, int(spoken[0]) - _MARGIN_FRAMES)
    last = min(len(spectrum), int(spoken[-1]) + 1 + _MARGIN_FRAMES)
    spectrum, active = spectrum[first:last], active[first:last]
    cuts = [_cut(spectrum, active, start) for start in _starts(len(spectrum))]
    return Windows(
        features=np.stack([level(piece, speech) for piece, speech in cuts]),
        active=np.asarray([int(speech.sum()) for _, speech in cuts], np.int64),
    )


def level(piece: Features, speech: NDArray[np.bool_]) -> Features:
    """One window (dB, (frames, bands)) relative to its `speech` frames' mean level, clipped and scaled to -1..1."""
    chosen = piece[speech] if speech.any() else piece
    reference = float(np.mean(chosen, dtype=np.float64))
    middle = (SPEC.ceiling_db + SPEC.floor_db) / 2.0
    half = (SPEC.ceiling_db - SPEC.floor_db) / 2.0
    clipped = np.clip(piece.astype(np.float64) - reference, SPEC.floor_db, SPEC.ceiling_db)
    return np.asarray((clipped - middle) / half, np.float32)


def quantise(features: Features, scale: float, zero_point: int) -> NDArray[np.int8]:
    """Features as a net's int8 input: rounded, never truncated (that would shift every value down by half a step)."""
    steps = np.clip(np.rint(features.astype(np.float64) / scale) + zero_point, -128, 127)
    return np.asarray(steps, np.int8)


def _starts(frames: int) -> list[int]:
    """Where windows begin: every 1.5 s, and one that ends with the utterance."""
    if frames <= SPEC.frames:
        return [0]
    last = frames - SPEC.frames
    starts = list(range(0, last, SPEC.hop_frames))
    return [*starts, last]


def _cut(spectrum: Features, active: NDArray[np.bool_], start: int) -> tuple[Features, NDArray[np.bool_]]:
    """One window from `start`; what is too short is repeated."""
    piece, speech = spectrum[start : start + SPEC.frames], active[start : start + SPEC.frames]
    if len(piece) == SPEC.frames:
        return piece, speech
    at = np.arange(SPEC.frames) % len(piece)
    return piece[at], speech[at]


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
