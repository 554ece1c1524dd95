"""What two channels have in common over most of a second: how alike they are, which comes later, and how much louder one is.

A leak is a copy: late by its path, softer or louder, with noise and a codec on top. In 20 ms two voices of like pitch look alike by
chance; in 0.6 s they do not. Normalised cross-correlation of what pre-emphasis leaves (Knapp and Carter, "The generalized
correlation method for estimation of time delay", IEEE TASSP 24, 1976), at 8 kHz: a telephone has nothing above 4.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, Pcm

_RATE_DIVISOR: Final = 2
_EVERY_FRAMES: Final = 5
_WINDOW_FRAMES: Final = 32
_WINDOW: Final = _WINDOW_FRAMES * FRAME_SAMPLES // _RATE_DIVISOR
_SCALE: Final = np.float32(1 / (_RATE_DIVISOR * 32768))
_FFT: Final = 8192
# 100 ms either way: echo paths of 60 ms, and what two converters and jitter buffers add.
_LAGS: Final = 800
# Under -66 dBFS (mean over the window, after pre-emphasis) there is nothing to compare.
_QUIET_POWER: Final = 10**-6.6


# Two codecs and a noise 6 dB down leave 0.75 of the same sound; two channels of one tap differ by a decibel or two.
SAME: Final = 0.7
LIKE_LEVEL_DB: Final = 3.0
_SETTLED: Final = 6


class CommonSound:
    """Follows two channels. `likeness` 0..1 and `lag` (samples at 16 kHz; above 0: channel 0 comes later) are of the last 0.6 s."""

    def __init__(self) -> None:
        self.likeness, self.lag, self.gain_db = 0.0, 0, 0.0
        # The frames that the window and the sample before it reach into.
        frames = _WINDOW_FRAMES + 1
        self._past: deque[NDArray[np.float32]] = deque([np.zeros((2, FRAME_SAMPLES // _RATE_DIVISOR), np.float32)] * frames, frames)
        self._frames = 0

    def update(self, pcm: Pcm, *, voice: bool) -> bool:
        """Take 20 ms (int16, (2, 320)); whether the figures are new, which they are every 100 ms in which there was `voice`."""
        # The mean of each two samples.
        self._past.append((pcm[:, ::_RATE_DIVISOR].astype(np.float32) + pcm[:, 1::_RATE_DIVISOR]) * _SCALE)
        self._frames += 1
        if self._frames % _EVERY_FRAMES or not voice:
            return False
        sound = np.diff(np.concatenate(self._past, axis=1)[:, -_WINDOW - 1 :], axis=1)
        power = np.einsum("ij,ij->i", sound, sound) / _WINDOW
        if power.min() < _QUIET_POWER:
            self.likeness, self.lag, self.gain_db = 0.0, 0, 0.0
            return True
        spectrum = np.fft.rfft(sound, _FFT)
        product = np.fft.irfft(spectrum[0] * np.conj(spectrum[1]), _FFT)
        both_ways = np.abs(np.concatenate((product[-_LAGS:], product[: _LAGS + 1])))
        best = int(np.argmax(both_ways))
        # The two overlap by so much less.
        overlap = _WINDOW - abs(best - _LAGS)
        self.likeness = min(1.0, float(both_ways[best] / (overlap * np.sqrt(power[0] * power[1]))))
        self.lag = (best - _LAGS) * _RATE_DIVISOR
        self.gain_db = float(10 * np.log10(power[0] / power[1]))
        return True


def carries_the_same(pcm: Pcm) -> bool:
    """Whether both channels of a second of sound (int16, (2, samples)) are copies of one another at about the same level."""
    common = CommonSound()
    alike = [
        common.likeness >= SAME and abs(common.gain_db) <= LIKE_LEVEL_DB
        for start in range(0, pcm.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES)
        if common.update(pcm[:, start : start + FRAME_SAMPLES], voice=True)
    ]
    # The first looks are at less than a whole window.
    return len(alike) > _SETTLED and all(alike[_SETTLED:])
