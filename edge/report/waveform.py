"""How loud each channel was over a call, for drawing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.capture import wavfile
from edge.report.calls import StoredCall

# About one point for each pixel of a wide screen.
_POINTS = 900


def envelopes(recording: Path, call: StoredCall) -> Sequence[Sequence[float]]:
    """Peak level 0..1 (square root, so that quiet speech shows) for each channel of `recording`, `_POINTS` over the call's length.

    The recording is taken to begin with the call: what lies before it is not in the events.
    """
    blocks = list(wavfile.blocks(recording, chunk_ms=200))
    if not blocks:
        return []
    rate = blocks[0].rate
    pcm = np.concatenate([block.pcm for block in blocks])[: call.duration_ms * rate // 1000]
    size = max(len(pcm) // _POINTS, 1)
    usable = len(pcm) // size * size
    peaks = np.abs(pcm[:usable].astype(np.int32)).reshape(-1, size, pcm.shape[1]).max(axis=1)
    return [[round(float(v), 3) for v in np.sqrt(channel / 32768)] for channel in peaks.T]
