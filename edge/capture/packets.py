"""What comes out of a source's pipe: packets of sound, from our own children (edge.capture.framing) or raw from a command.

The reader trusts nothing: every number has its bounds and the checksum covers header and sound. What does not fit raises
WireError; there is no way to find the next frame in damaged sound, so the child is replaced.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.capture.framing import HEADER, MAGIC, Flag, checksum, framed
from edge.errors import SourceError
from edge.values import Pcm

# Bounds, generous against any sound card and small against any damage: 64 channels, telegraph to 768 kHz, 2 s a frame.
_MAX_CHANNELS = 64
_RATES = range(1000, 768_001)
_MAX_SECONDS = 2
_MAX_LOST_SECONDS = 7 * 86_400


class WireError(SourceError):
    """What came through the pipe is not a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One frame of the pipe. `pcm` is int16 (samples, channels); `ended_ns` is the monotonic time of its last sample."""

    pcm: Pcm
    rate: int
    lost: int
    ended_ns: int
    flags: Flag = Flag.NONE


def pack(packet: Packet) -> bytes:
    """`packet` as it goes through the pipe."""
    sound = packet.pcm.astype("<i2", copy=False).tobytes()
    channels = packet.pcm.shape[1]
    return framed(sound, channels=channels, rate=packet.rate, lost=packet.lost, ended_ns=packet.ended_ns, flags=packet.flags)


class Parser:
    """A Decoder of what our own children write, in whatever pieces it comes.

    Holds at most one unfinished packet beside what it was just fed.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that `data` completes. Raises WireError at the first byte that cannot be right."""
        self._buffer += data
        while (packet := self._next()) is not None:
            yield packet

    def _next(self) -> Packet | None:
        if len(self._buffer) < HEADER.size:
            if not MAGIC.startswith(bytes(self._buffer[:4])):
                raise WireError("the capture child wrote something that is not sound")
            return None
        magic, flags, channels, rate, samples, lost, ended_ns, crc = HEADER.unpack_from(self._buffer)
        if (
            magic != MAGIC
            or not 1 <= channels <= _MAX_CHANNELS
            or rate not in _RATES
            or samples > _MAX_SECONDS * rate
            or lost > _MAX_LOST_SECONDS * rate
            or flags & ~(Flag.OVERFLOW | Flag.END)
        ):
            raise WireError("the capture child wrote something that is not sound")
        size = HEADER.size + samples * channels * 2
        if len(self._buffer) < size:
            return None
        sound = bytes(self._buffer[HEADER.size : size])
        del self._buffer[:size]
        if crc != checksum(sound, (magic, flags, channels, rate, samples, lost, ended_ns)):
            raise WireError("sound from the capture child was damaged on the way")
        pcm = np.frombuffer(sound, "<i2").astype(np.int16, copy=False).reshape(samples, channels)
        return Packet(pcm=pcm, rate=rate, lost=lost, ended_ns=ended_ns, flags=Flag(flags))


class RawDecoder:
    """A Decoder of raw s16le, as a configured command writes it."""

    def __init__(self, channels: int, rate: int) -> None:
        self._channels, self._rate = channels, rate
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """One packet of all whole samples there are."""
        data = self._rest + data
        whole = len(data) // (2 * self._channels) * 2 * self._channels
        self._rest = data[whole:]
        if whole:
            pcm = np.frombuffer(data[:whole], "<i2").astype(np.int16, copy=False).reshape(-1, self._channels)
            yield Packet(pcm=pcm, rate=self._rate, lost=0, ended_ns=time.monotonic_ns())
