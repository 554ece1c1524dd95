"""What every detector looks at: one frame of one channel, measured once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Powers = NDArray[np.float32]

# 40 ms holds two periods of the lowest voice (70 Hz) with room for the window's edges.
_SHORT: Final = 2 * FRAME_SAMPLES
_SHORT_FFT: Final = 1024
# 100 ms of Hann window parts tones 40 Hz from each other (North American ringback, 440 + 480 Hz).
_LONG: Final = 5 * FRAME_SAMPLES
_LONG_FFT: Final = 2048
# The telephone band with a margin at its upper end, in 16 bands of 203 Hz: bins 16..224 of 15.6 Hz, 250..3500 Hz.
_BAND_FIRST, _BAND_COUNT, _BAND_BINS = 16, 16, 13
_BAND_LAST: Final = _BAND_FIRST + _BAND_COUNT * _BAND_BINS
# Tones are looked for in 200..3500 Hz.
TONE_BIN_HZ: Final = SAMPLE_RATE / _LONG_FFT
TONE_FIRST_BIN: Final = 26
_TONE_LAST_BIN: Final = 448
# Pitch of voices: 70 Hz (lag 228) to 400 Hz (lag 40).
_LAG_FIRST, _LAG_LAST = 40, 229
_FULL_SCALE: Final = 32768.0
_QUIET: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One frame of a channel. Powers are of full scale 1.0.

    `bands` float32 (16,): mean power in 203 Hz steps from 250 Hz, over the last 40 ms. `tones` float32 (422,): power
    spectrum 200..3500 Hz of the last 100 ms in bins of 7.8 Hz. `periodicity` 0..1: the highest normalised
    autocorrelation at a voice's pitch, 70..400 Hz.
    """

    level_dbfs: float
    bands: Powers
    tones: Powers
    periodicity: float
    lost: bool


def _hann(samples: int) -> Powers:
    return np.hanning(samples + 1)[:-1].astype(np.float32)


class Ear:
    """Measures one channel frame by frame; remembers its last 100 ms."""

    def __init__(self) -> None:
        self._past = np.zeros(_LONG, np.float32)
        self._short = _hann(_SHORT)
        self._long = _hann(_LONG)
        # The window's own autocorrelation falls with the lag; dividing by it makes a steady sine 1.0 at every period.
        own = np.fft.irfft(np.abs(np.fft.rfft(self._short, 2 * _SHORT_FFT)) ** 2)
        self._own = (own[_LAG_FIRST:_LAG_LAST] / own[0]).astype(np.float32)
        self._band_scale = np.float32(2.0 / (float(np.sum(self._short**2)) * _SHORT_FFT))
        self._tone_scale = np.float32(2.0 / (float(np.sum(self._long**2)) * _LONG_FFT))

    def look(self, pcm: Pcm, *, lost: bool = False) -> Look:
        """Measure `pcm` (int16, (320,)), the next 20 ms. After a hole the past is silence: nothing is stitched."""
        if lost:
            self._past = np.zeros(_LONG, np.float32)
        fresh = pcm.astype(np.float32) / np.float32(_FULL_SCALE)
        self._past = np.concatenate((self._past[FRAME_SAMPLES:], fresh))
        power = np.abs(np.fft.rfft(self._past[-_SHORT:] * self._short, _SHORT_FFT)) ** 2
        tones = np.abs(np.fft.rfft(self._past * self._long, _LONG_FFT)) ** 2
        return Look(
            level_dbfs=10.0 * float(np.log10(float(np.dot(fresh, fresh)) / FRAME_SAMPLES + _QUIET)),
            bands=(power[_BAND_FIRST:_BAND_LAST] * self._band_scale).reshape(_BAND_COUNT, _BAND_BINS).sum(axis=1).astype(np.float32),
            tones=(tones[TONE_FIRST_BIN:_TONE_LAST_BIN] * self._tone_scale).astype(np.float32),
            periodicity=self._periodicity(power),
            lost=lost,
        )

    def _periodicity(self, power: Powers) -> float:
        inside = np.zeros_like(power)
        # Compressed spectra keep one strong formant from passing for pitch (Tolonen and Karjalainen, IEEE TSAP 2000).
        inside[6:_BAND_LAST] = np.sqrt(power[6:_BAND_LAST])
        correlation = np.fft.irfft(inside, _SHORT_FFT)
        if correlation[0] <= _QUIET:
            return 0.0
        return float(np.max(correlation[_LAG_FIRST:_LAG_LAST] / self._own)) / float(correlation[0])
