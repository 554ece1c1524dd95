"""Voice activity of a line's channels, 20 ms at a time: pure numpy, made for the telephone band.

Noise floor: minimum statistics per band (Martin, "Noise power spectral density estimation based on optimal smoothing and
minimum statistics", IEEE TSAP 9(5), 2001) with a fixed smoothing. Decision: mean log-likelihood ratio over the bands
(Sohn, Kim and Sung, "A statistical model-based voice activity detection", IEEE SPL 6(1), 1999) with the maximum
likelihood a-priori SNR. A noise burst has energy but no pitch, so activity counts only near periodic frames; hum and
tones have pitch but never move, so what stands still is not a voice.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.segment.spectrum import FrameSpectrum, LineSpectra, Powers

# Smoothing over about five frames: Martin's optimal factor in noise alone lies around 0.8 for 20 ms.
_SMOOTHING: Final = np.float32(0.8)
# The minimum is searched over 1.6 s (Martin: about 1.5 s), longer than words without a pause; in 8 parts of 200 ms.
_PARTS, _PART_FRAMES = 8, 10
# The mean of white noise over its tracked minimum, measured for these bands, smoothing and search time.
_BIAS: Final = np.float32(1.55)
# -75 dBFS in all bands together: the idle noise of a G.711 codec (one step of 2**-13 is -78 dBFS).
_FLOOR: Final = np.float32(10**-7.5 / 16)
_BANDS: Final = np.float32(16)
# Measured: noise alone stays under 0.12 in 99.9 % of frames; speech 10 dB over white noise exceeds 0.35 in its vowels.
_ACTIVE_LLR: Final = 0.35
# One band cannot decide alone, however loud: its ratio is capped at 15 dB.
_RATIO_CAP: Final = np.float32(30.0)
# ITU-T P.56 puts the active level's margin at 15.9 dB below the mean; words end up to 20 dB lower still.
_BELOW_PEAK_DB: Final = 36.0
# A second of decay takes the remembered peak down 2 dB, so that a louder caller before does not deafen us to the next.
_PEAK_DECAY_DB: Final = 0.04
_QUIETEST_VOICE_DBFS: Final = -58.0
# Measured: noise (white to brown, telephone band) stays under 0.27 in 99.9 % of frames; recorded vowels have a median of 0.73.
_PERIODIC: Final = 0.35
# Unvoiced sounds at a word's end follow its last vowel within 300 ms.
_NEAR_PERIODIC_FRAMES: Final = 15
# What moves less than this (mean over bands, against 100 ms ago) for 300 ms stands still: hum, tones, organ chords.
_STILL_DB: Final = 1.2
_STILL_LAG, _STILL_FRAMES = 5, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Voicing:
    """The decision on one frame: `active` (speech by energy, near pitch), `periodic` (pitch now), the floor in dBFS."""

    active: bool
    periodic: bool
    floor_dbfs: float

    def silent(self) -> "Voicing":
        """The same frame without this speaker's voice in it."""
        return Voicing(active=False, periodic=False, floor_dbfs=self.floor_dbfs) if self.active or self.periodic else self


class NoiseFloor:
    """Minimum statistics over the bands of all channels."""

    def __init__(self) -> None:
        self._smooth: Powers | None = None
        self._parts: deque[Powers] = deque(maxlen=_PARTS)
        # The least of the finished parts, and the least of the one that is being heard.
        self._before: Powers | None = None
        self._part: Powers | None = None
        self._count = 0

    def update(self, bands: Powers) -> Powers:
        """The noise power in each band (float32 (channels, 16)) after hearing one frame more."""
        self._smooth = bands if self._smooth is None else _SMOOTHING * self._smooth + (1 - _SMOOTHING) * bands
        self._part = self._smooth if self._part is None else np.minimum(self._part, self._smooth)
        lowest = self._part if self._before is None else np.minimum(self._part, self._before)
        self._count += 1
        if self._count == _PART_FRAMES:
            self._parts.append(self._part)
            self._before = np.minimum.reduce(list(self._parts))
            self._part, self._count = None, 0
        floor: Powers = np.maximum(lowest * _BIAS, _FLOOR)
        return floor


class VoiceActivity:
    """Decides on all channels of a line, frame by frame."""

    def __init__(self, channels: int = 1) -> None:
        self._noise = NoiseFloor()
        self._shapes: deque[Powers] = deque(maxlen=_STILL_LAG)
        self._voices = [_Voice() for _ in range(channels)]

    def update(self, spectra: LineSpectra) -> list[Voicing]:
        """The decision on each channel of the frame. A lost frame is silence and teaches the floor nothing."""
        if spectra.lost:
            return [Voicing(active=False, periodic=False, floor_dbfs=-75.0) for _ in self._voices]
        floor = self._noise.update(spectra.bands)
        ratio = np.minimum(np.maximum(spectra.bands / floor, np.float32(1.0)), _RATIO_CAP)
        llr = np.add.reduce(ratio - np.float32(1.0) - np.log(ratio), axis=1) / _BANDS
        shape = np.float32(10.0) * np.log10(np.maximum(spectra.bands, _FLOOR))
        moved = [math.inf] * len(self._voices)
        if len(self._shapes) == _STILL_LAG:
            moved = (np.add.reduce(np.abs(shape - self._shapes[0]), axis=1) / _BANDS).tolist()
        self._shapes.append(shape)
        measured = zip(self._voices, spectra.channels, llr.tolist(), np.add.reduce(floor, axis=1).tolist(), moved, strict=True)
        return [voice.decide(spectrum, ratio, noise, step) for voice, spectrum, ratio, noise, step in measured]


class _Voice:
    """What the decision on one channel remembers."""

    def __init__(self) -> None:
        self._peak_dbfs = -60.0
        self._since_periodic = _NEAR_PERIODIC_FRAMES
        self._still = 0

    def decide(self, spectrum: FrameSpectrum, llr: float, noise: float, moved: float) -> Voicing:
        """By the frame's mean log-likelihood ratio, the noise's power, and how many dB the bands moved in 100 ms."""
        self._still = self._still + 1 if moved < _STILL_DB else 0
        still = self._still >= _STILL_FRAMES
        loud = llr > _ACTIVE_LLR and spectrum.level_dbfs > max(_QUIETEST_VOICE_DBFS, self._peak_dbfs - _BELOW_PEAK_DB)
        periodic = loud and not still and spectrum.periodicity() > _PERIODIC
        self._since_periodic = 0 if periodic else self._since_periodic + 1
        active = loud and not still and self._since_periodic < _NEAR_PERIODIC_FRAMES
        self._peak_dbfs = max(self._peak_dbfs - _PEAK_DECAY_DB, spectrum.level_dbfs if periodic else -60.0)
        return Voicing(active=active, periodic=periodic, floor_dbfs=10.0 * math.log10(noise))
