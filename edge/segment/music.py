"""Is it music? Notes stand still while a voice's pitch never does.

After Seyerlehner, Pohle, Schedl and Widmer, "Automatic music detection in television productions" (DAFx 2007, "continuous
frequency activation"), made streaming: what stands out of the spectrum of 100 ms is compared with what stood out 160 ms
before. Measured on the telephone band through G.711, mean over 4 s: recorded speech (three corpora, angry and sad) and two
synthesisers 0.29 to 0.47; noise 0.43 to 0.46; five pieces of real hold music 0.47 to 0.91, nineteen in twenty over 0.51.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.segment.spectrum import Look

# The mean over 164 Hz is the spectrum's envelope; what is above it stands out.
_ENVELOPE: Final = np.ones(21) / 21
_MARGIN: Final = len(_ENVELOPE) // 2
# 390 to 3300 Hz: the edges of the telephone band stand out and never move, which is no music.
_INSIDE: Final = slice(24, 398)
# One strong peak (15 dB) is as good as a stronger one.
_PEAK_CAP: Final = 1.5
_FLOOR: Final = 1e-9
# 160 ms apart the two windows of 100 ms share nothing; notes are longer, syllables' pitch has moved.
_LAG: Final = 8
_LOUD_DBFS: Final = -45.0
# Two seconds of plain music are enough to know it, four of any: the fewer loud frames, the likelier chance is. Measured over
# 4 s: speech and noise up to 0.47, music from 0.51 in 95 %; over 2 s speech reaches 0.50, over 1 s 0.56.
_STRETCHES: Final = (100, 200)
_LEAST_LOUD: Final = 40
_SURE_FRAMES, _MUSIC, _MUSIC_BY_CHANCE = 200, 0.49, 0.12
# Music is over when its last second does not look like it, or is silent.
_RECENT, _OVER = 50, 0.46


class MusicDetector:
    """Follows one channel. `playing` says whether there is music; `steadiness` is the last frame's likeness, 0..1, or None."""

    def __init__(self) -> None:
        self._patterns: deque[NDArray[np.float64]] = deque(maxlen=_LAG)
        self._loud: deque[bool] = deque(maxlen=_LAG)
        self._likeness: deque[float | None] = deque(maxlen=_STRETCHES[-1])
        self.playing = False
        self.steadiness: float | None = None

    def update(self, look: Look, *, own: bool) -> None:
        """Take one frame; one that is not the channel's `own` sound (a leak) counts as a quiet one."""
        loud = own and look.level_dbfs > _LOUD_DBFS
        pattern = _standing_out(look)
        self.steadiness = None
        if loud and len(self._patterns) == _LAG and self._loud[0]:
            self.steadiness = float(np.dot(pattern, self._patterns[0]))
        self._patterns.append(pattern)
        self._loud.append(loud)
        self._likeness.append(self.steadiness)
        heard = list(self._likeness)
        if self.playing:
            recent = [like for like in heard[-_RECENT:] if like is not None]
            self.playing = len(recent) >= _RECENT // 4 and float(np.mean(recent)) >= _OVER
            if not self.playing:
                self._likeness.clear()
        else:
            self.playing = any(is_music(heard[-stretch:], least=_LEAST_LOUD) for stretch in _STRETCHES)


def is_music(likeness: list[float | None], *, least: int) -> bool:
    """Whether a stretch of frames is music; None are quiet frames. False with fewer than `least` loud ones."""
    loud = [like for like in likeness if like is not None]
    if len(loud) < least:
        return False
    needed = _MUSIC + _MUSIC_BY_CHANCE * max(0.0, 1.0 - len(loud) / _SURE_FRAMES)
    return float(np.mean(loud)) >= needed


def _standing_out(look: Look) -> NDArray[np.float64]:
    level = np.log10(look.tones.astype(np.float64) + _FLOOR)
    envelope = np.convolve(np.pad(level, _MARGIN, "edge"), _ENVELOPE, "valid")
    above = np.clip(level - envelope, 0.0, _PEAK_CAP)[_INSIDE]
    unit: NDArray[np.float64] = above / (float(np.linalg.norm(above)) + _FLOOR)
    return unit
