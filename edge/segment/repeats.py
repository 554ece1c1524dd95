"""Sound that comes again, the same but for noise and level: a recording, for nobody says a sentence twice alike.

After Haitsma and Kalker 2002, "A highly robust audio fingerprinting system" (ISMIR): of each 20 ms the signs of how the power differences
between neighbouring bands of the telephone band change, 15 bits. From them no speech can be made again; they live as long as the call.

Only where two sides are on the line and the other one has not spoken in between: a caller who is answered takes part in a conversation.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Pcm, Utterance

Fingerprint = NDArray[np.uint16]

# 128 ms: so long a window hardly notices that the second time began within another 20 ms.
_WINDOW: Final = 2048
# 16 bands, equally wide to the ear, of 300 to 3300 Hz.
_EDGES: Final = np.round(np.geomspace(300, 3300, 17) / SAMPLE_RATE * _WINDOW).astype(int)
_QUIET: Final = 1e-9
# Powers are compared with those of 100 ms before.
_LAG: Final = 5
_BITS: Final = (1 << np.arange(15)).astype(np.uint16)
_ALL: Final = np.uint16((1 << 15) - 1)
_ONES: Final = np.array([number.bit_count() for number in range(1 << 15)], np.uint8)
# The sixteenth bit: not softer than the loudest by so much. Pauses are alike whoever makes them.
_LOUD: Final = np.uint16(1 << 15)
_SOFT_DB: Final = 30.0
# Measured, at least two seconds: another sentence differs in 0.42 to 0.5 of the bits, actors who say a sentence twice in 0.29 at least, a
# recorded prompt through noise 30 to 10 dB down, at another level and up to 94 ms off, in 0.05 to 0.25 (95 % of times).
_LEAST_FRAMES: Final = 100
_SAME: Final = 0.25
# An onset is known within 160 ms, and noise moves it.
_SHIFT: Final = 12
# The second may be cut a little earlier or later.
_LENGTH: Final = 0.9
# Nobody answers an announcement: 0.6 s of voice from the other side is more than a "hm".
_ANSWER_FRAMES: Final = 30
# Announcements come round within minutes.
_REMEMBERED: Final = 30


def fingerprint(pcm: Pcm) -> Fingerprint:
    """Of int16 sound, 1-D: 15 bits each 20 ms, and a sixteenth where it is no pause; uint16 (frames,)."""
    frames = max(0, (len(pcm) - _WINDOW) // FRAME_SAMPLES + 1)
    if frames <= _LAG:
        return np.zeros(0, np.uint16)
    windows = np.lib.stride_tricks.sliding_window_view(pcm, _WINDOW)[::FRAME_SAMPLES].astype(np.float32)
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW).astype(np.float32), axis=1)) ** 2
    bands = np.log(np.add.reduceat(power, _EDGES, axis=1)[:, :-1] + _QUIET)
    between = bands[:, :-1] - bands[:, 1:]
    rises = between[_LAG:] > between[:-_LAG]
    level = 10 * np.log10(power[_LAG:].sum(axis=1) + _QUIET)
    marks: Fingerprint = (rises * _BITS).sum(axis=1).astype(np.uint16) | (level > level.max() - _SOFT_DB) * _LOUD
    return marks


def apart(one: Fingerprint, other: Fingerprint) -> float:
    """The smallest share of differing bits (0..1) when one is moved along the other, pauses left out.

    1.0 where they are too short or of other lengths.
    """
    shorter, longer = sorted((len(one), len(other)))
    if shorter < _LEAST_FRAMES or shorter < _LENGTH * longer:
        return 1.0
    least = 1.0
    for shift in range(-_SHIFT, _SHIFT + 1):
        first, second = one[max(0, shift) :], other[max(0, -shift) :]
        length = min(len(first), len(second))
        either = first[:length] | second[:length]
        differing = _ONES[(first[:length] ^ second[:length]) & _ALL][either >= _LOUD]
        if len(differing) >= _LEAST_FRAMES:
            least = min(least, float(differing.mean()) / len(_BITS))
    return least


class Repeats:
    """What was said on one channel of a call."""

    def __init__(self) -> None:
        self._heard: deque[tuple[Fingerprint, int]] = deque(maxlen=_REMEMBERED)

    def heard(self, utterance: Utterance, answered: int) -> bool:
        """Whether `utterance` is one that was heard before; `answered` counts the frames in which the other side spoke so far."""
        marks = fingerprint(utterance.pcm)
        again = any(answered - then < _ANSWER_FRAMES and apart(marks, before) < _SAME for before, then in self._heard)
        self._heard.append((marks, answered))
        return again
