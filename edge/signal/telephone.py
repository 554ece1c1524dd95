"""The telephone's band, 300 to 3400 Hz: what is left of a wideband copy once it has been through a G.711 line."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.values import SAMPLE_RATE, Pcm

# ITU-T G.712 figure 1: within 3 dB from 300 to 3400 Hz.
LOW_HZ = 300.0
HIGH_HZ = 3400.0
# 20 ms of filter: edges of about 150 Hz, as a line's codec filters have.
_TAPS = 321


def band_limit(pcm: Pcm) -> Pcm:
    """int16 mono at 16 kHz with everything outside the telephone band taken out, same length, no delay (linear phase)."""
    if not pcm.size:
        return pcm
    taps = _band_pass()
    size = 1 << (len(pcm) + len(taps) - 1).bit_length()
    spectrum = np.fft.rfft(pcm.astype(np.float64), size) * np.fft.rfft(taps, size)
    half = len(taps) // 2
    whole = np.fft.irfft(spectrum, size)[half : half + len(pcm)]
    return np.clip(np.rint(whole), -32768, 32767).astype(np.int16)


@cache
def _band_pass() -> NDArray[np.float64]:
    """A Hamming-windowed sinc band pass (Oppenheim and Schafer, section 7.5)."""
    at = np.arange(_TAPS) - _TAPS // 2
    low, high = LOW_HZ / SAMPLE_RATE, HIGH_HZ / SAMPLE_RATE
    ideal = 2 * high * np.sinc(2 * high * at) - 2 * low * np.sinc(2 * low * at)
    return np.asarray(ideal * np.hamming(_TAPS), np.float64)
