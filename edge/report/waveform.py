"""How loud each channel was over a call, for drawing."""

from collections.abc import Sequence

import numpy as np

from edge.capture import wavfile
from edge.capture.recording import Recording
from edge.report.calls import ReportedCall
from edge.values import Pcm

# About one point for each pixel of a wide screen.
_POINTS = 900
# What the endpointer keeps of the time before a first word.
_PRE_ROLL_MS = 300
# Speech on a line lies above this, its noise below.
_SOUND_DBFS = -40.0


def envelopes(recording: Recording, call: ReportedCall, pick: tuple[int, ...] = ()) -> Sequence[Sequence[float]]:
    """Peak level 0..1 (square root, so that quiet speech shows) for each channel of `recording`, `_POINTS` over the call's length.

    Events say nothing of what lay before the call: it is taken to begin a pre-roll before the recording's first sound.
    """
    blocks = list(wavfile.blocks(recording, chunk_ms=200, pick=pick))
    if not blocks:
        return []
    rate = blocks[0].rate
    pcm = np.concatenate([block.pcm for block in blocks])
    pcm = pcm[_call_start(pcm, rate) :][: call.duration_ms * rate // 1000]
    size = max(len(pcm) // _POINTS, 1)
    usable = len(pcm) // size * size
    peaks = np.abs(pcm[:usable].astype(np.int32)).reshape(-1, size, pcm.shape[1]).max(axis=1)
    return [[round(float(v), 3) for v in np.sqrt(channel / 32768)] for channel in peaks.T]


def _call_start(pcm: Pcm, rate: int) -> int:
    """The sample a pre-roll before the first sound in `pcm` (int16, (samples, channels)); 0 where it begins at once."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)).max(axis=1) > 32768 * 10 ** (_SOUND_DBFS / 20))
    return max(0, int(loud[0]) - rate * _PRE_ROLL_MS // 1000) if loud.size else 0
