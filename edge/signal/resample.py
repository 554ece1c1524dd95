"""Any rate and any chunking into 16 kHz frames of 20 ms: the first thing that happens to sound inside the box.

soxr is fed float32: its int16 path dithers by call, so what it gives depends on how the stream was cut (measured: differences
of up to 2 steps between 7 ms and 200 ms chunks); its float32 path is equal bit for bit however it is fed.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import soxr
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Block, Frame, Pcm

# soxr's "high quality": 20-bit precision, above what 16-bit telephone sound can show, for 6 to 115 ms of delay (measured; most at 8 kHz).
_QUALITY = "HQ"
# A hole of hours is written out in pieces of one second, so that it never needs hours of memory.
_HOLE_PIECE = SAMPLE_RATE


def frames(blocks: Iterable[Block]) -> Iterator[Frame]:
    """The frames in `blocks`, each as soon as it is whole: int16, shape (channels, 320), at 16 kHz.

    The same frames bit for bit, however the blocks are cut. Lost samples advance the clock as zeros, and every frame that
    holds one is marked `lost`; the resampler begins anew behind a hole, so nothing is stitched across it. The last frame is
    filled up with zeros. All blocks have the same number of channels; the rate may change between blocks.
    """
    cutter: _Cutter | None = None
    stretch: _Stretch | None = None
    for block in blocks:
        if cutter is None:
            cutter = _Cutter(block.pcm.shape[1])
        if stretch is not None and (block.lost or block.rate != stretch.rate):
            yield from cutter.add(stretch.end())
            stretch = None
        if block.lost:
            yield from cutter.hole(block.lost, block.rate)
        if not len(block.pcm):
            continue
        if stretch is None:
            stretch = _Stretch(block.rate, block.pcm.shape[1])
        cutter.heard(len(block.pcm), block.rate)
        yield from cutter.add(stretch.feed(block.pcm))
    if cutter is not None:
        if stretch is not None:
            yield from cutter.add(stretch.end())
        yield from cutter.rest()


def resample(pcm: Pcm, rate: int) -> Pcm:
    """A whole mono clip (int16, 1-D, at `rate`) at 16 kHz, in the same quality as a stream: int16, 1-D."""
    stretch = _Stretch(rate, 1)
    whole = np.concatenate([stretch.feed(pcm[:, None]), stretch.end()])[:, 0]
    return _fit(whole, round(Fraction(len(pcm) * SAMPLE_RATE, rate)))


class _Stretch:
    """Sound without a hole: one life of one resampler."""

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self._empty = np.zeros((0, channels), np.float32)
        same = rate == SAMPLE_RATE
        self._soxr = None if same else soxr.ResampleStream(rate, SAMPLE_RATE, channels, dtype="float32", quality=_QUALITY)

    def feed(self, pcm: Pcm) -> Pcm:
        """What is ready at 16 kHz after `pcm`, int16 (samples, channels); some of it stays inside until more comes."""
        if self._soxr is None:
            return pcm
        return _int16(self._soxr.resample_chunk(np.ascontiguousarray(pcm, np.float32)))

    def end(self) -> Pcm:
        """What was still inside."""
        if self._soxr is None:
            return self._empty.astype(np.int16)
        return _int16(self._soxr.resample_chunk(self._empty, last=True))


class _Cutter:
    """Cuts 16 kHz samples into frames and keeps the clock: where the stream is, to the exact fraction of a sample."""

    def __init__(self, channels: int) -> None:
        self._buffer: Pcm = np.zeros((0, channels), np.int16)
        # Whether the buffer, which is all of the next frame's, holds anything that was lost.
        self._gone = False
        self._start = 0
        self._due = Fraction(0)

    @property
    def _have(self) -> int:
        return self._start + len(self._buffer)

    def heard(self, samples: int, rate: int) -> None:
        """The source's clock went on by `samples` at `rate`."""
        self._due += Fraction(samples * SAMPLE_RATE, rate)

    def add(self, pcm: Pcm) -> Iterator[Frame]:
        return self._push(pcm, gone=False)

    def hole(self, lost: int, rate: int) -> Iterator[Frame]:
        """Zeros for `lost` samples at `rate`. The stretch before it has ended: bring the clock to where it is due first."""
        if short := round(self._due) - self._have:
            yield from self._push(_fit(self._buffer[:0], max(0, short)), gone=False)
        self.heard(lost, rate)
        while (left := round(self._due) - self._have) > 0:
            yield from self._push(_fit(self._buffer[:0], min(left, _HOLE_PIECE)), gone=True)

    def rest(self) -> Iterator[Frame]:
        """The last, unfinished frame, filled up with zeros; nothing where there is none."""
        over = self._have - round(self._due)
        if over > 0:
            self._buffer = self._buffer[: max(0, len(self._buffer) - over)]
        if len(self._buffer):
            yield from self._push(_fit(self._buffer[:0], FRAME_SAMPLES - len(self._buffer)), gone=False)

    def _push(self, pcm: Pcm, *, gone: bool) -> Iterator[Frame]:
        sound = np.concatenate([self._buffer, pcm]) if len(self._buffer) else pcm
        whole = len(sound) // FRAME_SAMPLES * FRAME_SAMPLES
        self._buffer = sound[whole:]
        self._gone = self._gone or (gone and len(pcm) > 0)
        for at in range(0, whole, FRAME_SAMPLES):
            cut = np.ascontiguousarray(sound[at : at + FRAME_SAMPLES].T)
            yield Frame(start=self._start, pcm=cut, lost=self._gone)
            self._start += FRAME_SAMPLES
            # What was in the buffer before is in the first frame.
            self._gone = gone and at + FRAME_SAMPLES < len(sound)


def _fit(pcm: Pcm, samples: int) -> Pcm:
    """`pcm` cut, or filled up with zeros, to `samples` along its first axis."""
    missing = samples - len(pcm)
    if missing <= 0:
        return pcm[:samples]
    return np.concatenate([pcm, np.zeros((missing, *pcm.shape[1:]), np.int16)])


def _int16(sound: NDArray[np.float32]) -> Pcm:
    """Rounded and clipped: a resampler may overshoot full scale."""
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
