"""Samples: what a source hands over, and 20 ms of a line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# 20 ms: the frame of G.711 packets and of most voice activity detectors.
FRAME_SAMPLES = 320
FRAME_MS = 20

Pcm = NDArray[np.int16]


def samples_to_ms(samples: int) -> int:
    """Whole milliseconds in `samples` at 16 kHz, rounded down."""
    return samples * 1000 // SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a source hands over: any number of samples at the source's own rate.

    `pcm` is int16, shape (samples, channels). `lost` samples (per channel, at `rate`) went missing just before it.
    """

    pcm: Pcm
    rate: int
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """20 ms of one line. `pcm` is int16, shape (channels, 320), at 16 kHz; zeros where `lost`."""

    start: int
    pcm: Pcm
    lost: bool = False
