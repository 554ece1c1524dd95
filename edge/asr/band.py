"""What the telephone leaves empty above 3.4 kHz, filled with the line's own noise before the recogniser hears it.

Vosk's model learnt from speech up to 8 kHz, whose noise goes on above the telephone band. Where noise ends at 3.4 kHz and exact silence
begins, it takes the step for a sound and loses words. So the noise of the line is carried on over the empty band.
Word errors of five drawn calls (tests.calls.drawn, seeds 1 to 4 and 6: 828 words, both sides, telephone band, -60 to -44 dBFS of
noise) on which it was chosen: 15.6 %. Of four others (seeds 7 to 10, 593 words): 16.7 % with it, 29.7 % with white noise of one step of
int16 alone (as Kaldi's dither is), 36.1 % with neither, 29.2 % for Vosk as it comes. Where there is no noise to carry on, nothing
changes: 30 spoken tweets, 35.7 % with and without.
"""

from collections import deque
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Pcm

_BAND_END_HZ: Final = 3600
# The quietest 20 ms of the last ten seconds of speech stand for the line's noise. They are quieter than its mean, and the empty band is
# wider than the telephone's: 1.5 times as much (1 and 2.5 times: 16.2 and 15.8 %). A louder floor than -47 dBFS is no noise to carry on.
_REMEMBERED: Final = 50
_TIMES: Final = 1.5
_LOUDEST: Final = 150.0
_PERIOD: Final = 10 * SAMPLE_RATE
# More than any block is long, so that a block from anywhere in the period is one slice.
_LONGEST: Final = SAMPLE_RATE


@cache
def _noise() -> NDArray[np.float32]:
    """(2, samples) of variance 1 that join on to themselves: white, and only above the telephone band. The same every time."""
    chance = np.random.default_rng(0)
    spectrum = chance.normal(size=_PERIOD // 2 + 1) + 1j * chance.normal(size=_PERIOD // 2 + 1)
    spectrum[: _BAND_END_HZ * _PERIOD // SAMPLE_RATE] = 0
    above = np.fft.irfft(spectrum, _PERIOD)
    both = np.stack((chance.normal(size=_PERIOD), above / above.std()))
    return np.concatenate((both, both[:, :_LONGEST]), axis=1).astype(np.float32)


class EmptyBand:
    """Fills the band above the telephone's, block by block. What comes out depends on the samples and blocks since it was made alone."""

    def __init__(self) -> None:
        # 30 ms of work that commands without a recogniser need not do.
        self._noise = _noise()
        self._filled = 0
        self._floors: deque[float] = deque(maxlen=_REMEMBERED)

    def fill(self, pcm: Pcm) -> Pcm:
        """`pcm` (int16, 1-D, 16 kHz, at most a second) with white noise of one step, and the line's own above 3.6 kHz."""
        whole = pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).astype(np.float32)
        if len(whole):
            self._floors.append(float(np.sqrt(np.square(whole).mean(axis=1).min())))
        floor = min(_LOUDEST, _TIMES * min(self._floors, default=0.0))
        at = self._filled % _PERIOD
        white, above = self._noise[:, at : at + len(pcm)]
        self._filled += len(pcm)
        filled: Pcm = np.clip(np.rint(pcm + white + floor * above), -32768, 32767).astype(np.int16)
        return filled
