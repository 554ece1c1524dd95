"""Takes a constant off a line before anything measures it: a sound card's offset is no sound, but every level would count it."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, Frame

# The mean of two seconds, once so much was heard: slow enough to leave the lowest voice alone (its effect ends below 0.1 Hz).
_FRAMES: Final = 100
# Less than half a step of int16 cannot be taken off, and a line without an offset is handed on as it is.
_LEAST: Final = 0.5
_RAMP: Final = (np.arange(FRAME_SAMPLES) + 1) / FRAME_SAMPLES


class DcRemover:
    """One line's offsets. Feed it every frame in order."""

    def __init__(self, channels: int) -> None:
        self._offset: NDArray[np.float64] = np.zeros(channels)
        self._heard = 0

    def remove(self, frame: Frame) -> Frame:
        """`frame` without its offset. A lost frame is silence and says nothing of it."""
        if frame.lost:
            return frame
        self._heard = min(self._heard + 1, _FRAMES)
        before = self._offset
        mean = frame.pcm.mean(axis=1)
        self._offset = mean if self._heard == 1 else before + (mean - before) / self._heard
        if self._heard == 1:
            before = mean
        if max(np.abs(before).max(), np.abs(self._offset).max()) < _LEAST:
            return frame
        # From the old to the new offset sample by sample: a step would be a click.
        moving = before[:, None] + (self._offset - before)[:, None] * _RAMP
        return replace(frame, pcm=np.clip(np.rint(frame.pcm - moving), -32768, 32767).astype(np.int16))
