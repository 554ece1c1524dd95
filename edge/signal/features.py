"""The voice model's features: windows of an utterance in two planes. Training and the box both come through here, and nowhere else.

    int16 PCM, 16 kHz  ->  spectrogram (20 ms hop; band levels and pitch salience)  ->  windows (3 s)  ->  quantise (int8)

Everything is worked out on the whole utterance, so it cannot depend on how the stream was cut. Sums are float64, so that every
numpy gives the same float32.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.signal.logmel import log_mel
from edge.signal.pitch import pitch_salience
from edge.signal.spec import SPEC
from edge.values import Pcm

Features = NDArray[np.float32]
# The two planes of a spectrogram.
LEVEL, PITCH = 0, 1
# Speech within 30 dB of its peaks carries the emotion; between words the line's noise speaks instead.
_ACTIVE_DB = 30.0
# With noise, the dip between words is less deep: speech is what stands this far up from floor to peak.
_ACTIVE_SHARE = 0.6
# 100 ms of quiet is kept on both sides, so that onsets and decays are whole.
_MARGIN_FRAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """An utterance as the net takes it.

    `features` is float32, (windows, frames, bands, planes), -1..1 after scaling; `active` counts speech frames in each window.
    """

    features: Features
    active: NDArray[np.int64]


def spectrogram(pcm: Pcm) -> Features:
    """Both planes of `pcm` (int16, mono, 16 kHz): float32, (frames, bands, planes), at least one frame.

    Plane LEVEL is in dB re one step of 16 bits, plane PITCH is -1..1.
    """
    levels = log_mel(pcm)
    return np.stack([levels, pitch_salience(pcm, len(levels))], axis=-1)


def active_frames(levels: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which frames of `levels` (dB, (frames, bands)) hold speech rather than the quiet around it."""
    power = np.mean(10.0 ** (levels.astype(np.float64) / 10.0), axis=1)
    level = 10.0 * np.log10(power)
    ordered = np.sort(level)
    # The loudest 5 % and the softest 10 %, by order rather than by interpolation, so that every numpy agrees.
    peak, floor = ordered[-1 - len(ordered) // 20], ordered[len(ordered) // 10]
    return np.asarray(level >= peak - min(_ACTIVE_DB, _ACTIVE_SHARE * (peak - floor)), np.bool_)


def windows(spectrum: Features) -> Windows:
    """The windows of one utterance's `spectrum` (frames, bands, planes).

    Quiet before and after the speech is cut off, so that it does not matter how generously the utterance was cut. What is
    shorter than a window is repeated until it fills one. Each window is levelled to its own speech: a gain changes nothing.
    """
    active = active_frames(spectrum[..., LEVEL])
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
    """One window (frames, bands, planes), its levels relative to the mean of its `speech` frames, clipped and scaled to -1..1."""
    chosen = piece[speech, :, LEVEL] if speech.any() else piece[..., LEVEL]
    reference = float(np.mean(chosen, dtype=np.float64))
    middle = (SPEC.ceiling_db + SPEC.floor_db) / 2.0
    half = (SPEC.ceiling_db - SPEC.floor_db) / 2.0
    clipped = np.clip(piece[..., LEVEL].astype(np.float64) - reference, SPEC.floor_db, SPEC.ceiling_db)
    levelled = piece.copy()
    levelled[..., LEVEL] = (clipped - middle) / half
    return levelled


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
