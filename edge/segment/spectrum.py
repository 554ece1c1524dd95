"""What every detector spectra at: one frame of a line, measured once."""

import math
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


def _hann(samples: int) -> Powers:
    return np.hanning(samples + 1)[:-1].astype(np.float32)


_SHORT_WINDOW: Final = _hann(_SHORT)
_LONG_WINDOW: Final = _hann(_LONG)
_BAND_SCALE: Final = np.float32(2.0 / (float(np.sum(_SHORT_WINDOW**2)) * _SHORT_FFT))
_TONE_SCALE: Final = np.float32(2.0 / (float(np.sum(_LONG_WINDOW**2)) * _LONG_FFT))


def _own_correlation() -> Powers:
    """The window's own autocorrelation falls with the lag; dividing by it makes a steady sine 1.0 at every period."""
    own = np.fft.irfft(np.abs(np.fft.rfft(_SHORT_WINDOW, 2 * _SHORT_FFT)) ** 2)
    at_pitch: Powers = (own[_LAG_FIRST:_LAG_LAST] / own[0]).astype(np.float32)
    return at_pitch


_OWN: Final = _own_correlation()


class FrameSpectrum:
    """One frame of one channel. What costs most is measured when it is asked for, which in silence nobody does."""

    __slots__ = ("_past", "_power", "_tones", "level_dbfs", "lost")

    def __init__(self, level_dbfs: float, past: Powers, power: Powers, *, lost: bool) -> None:
        self.level_dbfs, self.lost = level_dbfs, lost
        self._past, self._power = past, power
        self._tones: Powers | None = None

    @property
    def tones(self) -> Powers:
        """Power spectrum 200..3500 Hz of the last 100 ms in bins of 7.8 Hz: float32 (422,), powers of full scale 1.0."""
        if self._tones is None:
            spectrum = np.fft.rfft(self._past * _LONG_WINDOW, _LONG_FFT)[TONE_FIRST_BIN:_TONE_LAST_BIN]
            self._tones = np.abs(spectrum) ** 2 * _TONE_SCALE
        return self._tones

    def periodicity(self) -> float:
        """0..1: the highest normalised autocorrelation of the last 40 ms at a voice's pitch, 70..400 Hz."""
        inside = np.zeros_like(self._power)
        # Compressed spectra keep one strong formant from passing for pitch (Tolonen and Karjalainen, IEEE TSAP 2000).
        inside[6:_BAND_LAST] = np.sqrt(self._power[6:_BAND_LAST])
        correlation = np.fft.irfft(inside, _SHORT_FFT)
        if correlation[0] <= _QUIET:
            return 0.0
        return float(np.max(correlation[_LAG_FIRST:_LAG_LAST] / _OWN)) / float(correlation[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSpectra:
    """One frame of all channels. `bands` float32 (channels, 16): mean power in 203 Hz steps from 250 Hz, over the last 40 ms."""

    bands: Powers
    channels: tuple[FrameSpectrum, ...]
    lost: bool


class SpectrumAnalyser:
    """Measures a line's channels frame by frame, all at once; remembers their last 100 ms."""

    def __init__(self, channels: int = 1) -> None:
        self._past = np.zeros((channels, _LONG), np.float32)

    def analyse(self, pcm: Pcm, *, lost: bool = False) -> LineSpectra:
        """Measure `pcm` (int16, (channels, 320)), the next 20 ms. After a hole the past is silence: nothing is stitched."""
        if lost:
            self._past = np.zeros_like(self._past)
        fresh = pcm.astype(np.float32) / np.float32(_FULL_SCALE)
        self._past = past = np.concatenate((self._past[:, FRAME_SAMPLES:], fresh), axis=1)
        power = np.abs(np.fft.rfft(past[:, -_SHORT:] * _SHORT_WINDOW, _SHORT_FFT)) ** 2
        bands = (power[:, _BAND_FIRST:_BAND_LAST] * _BAND_SCALE).reshape(-1, _BAND_COUNT, _BAND_BINS).sum(axis=2)
        spectra = []
        for row, whole, spectrum in zip(fresh, past, power, strict=True):
            level = 10.0 * math.log10(float(np.dot(row, row)) / FRAME_SAMPLES + _QUIET)
            spectra.append(FrameSpectrum(level, whole, spectrum, lost=lost))
        return LineSpectra(bands=bands, channels=tuple(spectra), lost=lost)
