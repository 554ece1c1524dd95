"""16-bit sound as numbers: scale, level, clipping, and the two laws of G.711."""

import math

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, Pcm

_FULL_SCALE = 32768.0
# Digital silence has no level; 16-bit dither lies near -98 dBFS, so this is below everything that can be measured.
SILENCE_DBFS = -120.0
# A converter that limits softly stops a little under full scale; speech that is not clipped is hardly ever up there.
_CLIPPED = 32_440


def level_dbfs(pcm: Pcm) -> float:
    """The RMS level of int16 `pcm` in dB below full scale; -120.0 for digital silence and for no samples."""
    if not pcm.size:
        return SILENCE_DBFS
    power = float(np.mean(np.square(pcm.astype(np.float64) / _FULL_SCALE)))
    return SILENCE_DBFS if power <= 0 else max(SILENCE_DBFS, 10.0 * float(np.log10(power)))


def speech_rms(pcm: Pcm) -> float:
    """The RMS of the loudest half of the 20 ms frames of `pcm` (16 kHz), at least 1: quiet around the speech does not count."""
    whole = len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = np.square((pcm[:whole] if whole else pcm).astype(np.float64)).reshape(max(1, whole // FRAME_SAMPLES), -1).mean(axis=1)
    return max(1.0, float(np.sqrt(np.mean(np.sort(frames)[len(frames) // 2 :]))))


def speech_dbfs(pcm: Pcm) -> float:
    """`speech_rms` in dB below full scale."""
    return 20.0 * math.log10(speech_rms(pcm) / _FULL_SCALE)


def clipping_share(pcm: Pcm) -> float:
    """The share of samples at or near full scale, 0..1; 0 for no samples."""
    if not pcm.size:
        return 0.0
    return float(np.mean(np.abs(pcm.astype(np.int32)) >= _CLIPPED))


def mulaw(pcm: Pcm) -> Pcm:
    """`pcm` after one way through G.711 mu-law (ITU-T G.711 table 2): 14 bits to 8 and back."""
    return np.asarray(_MULAW[pcm.astype(np.int32) + 32768], np.int16)


def from_mulaw(law: NDArray[np.uint8]) -> Pcm:
    """What the bytes of G.711 mu-law say, at 16 bits (ITU-T G.711 table 2; every bit of a byte is sent inverted)."""
    bits = ~law
    segment, step = (bits >> 4) & 7, (bits & 15).astype(np.int32)
    magnitude = (((step << 3) + 132) << segment) - 132
    return np.where(bits & 0x80, -magnitude, magnitude).astype(np.int16)


def alaw(pcm: Pcm) -> Pcm:
    """`pcm` after one way through G.711 A-law (ITU-T G.711 table 1): 13 bits to 8 and back."""
    return np.asarray(_ALAW[pcm.astype(np.int32) + 32768], np.int16)


def _mulaw_table() -> Pcm:
    """What each int16 value becomes: sign, segment (3 bits), step (4 bits), with the standard's bias of 33 at 14 bits."""
    value = np.arange(-32768, 32768)
    # The largest 14-bit magnitude that the law can say, and its bias, both four times as large at 16 bits.
    magnitude = np.minimum(np.abs(value), 32_635) + 132
    segment = np.floor(np.log2(magnitude)).astype(np.int64) - 7
    step = (magnitude >> (segment + 3)) & 15
    decoded = (((step << 3) + 132) << segment) - 132
    return np.asarray(np.sign(value) * decoded, np.int16)


def _alaw_table() -> Pcm:
    """What each int16 value becomes: the first two segments are linear, the rest double their steps."""
    value = np.arange(-32768, 32768)
    # A-law has no zero: one's complement of a negative value, 13 bits.
    magnitude = np.where(value < 0, -value - 1, value) >> 3
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int64) - 4, 0)
    shift = np.maximum(segment, 1)
    middle = ((magnitude >> shift) << shift) + (1 << (shift - 1))
    decoded = np.minimum(middle << 3, 32_256)
    return np.asarray(np.where(value < 0, -decoded, decoded), np.int16)


_MULAW = _mulaw_table()
_ALAW = _alaw_table()
