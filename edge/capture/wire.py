"""The pipe between a capture child and the box: framed blocks of sound that say what was lost and when they ended.

    magic "UTN1" | flags | channels | rate | samples | lost | ended_ns | crc32 | samples x channels x int16, little-endian

The reader trusts nothing: every number has its bounds and the checksum covers header and sound. What does not fit raises
WireError; there is no way to find the next frame in damaged sound, so the child is replaced.
"""

import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

import numpy as np

from edge.errors import SourceError
from edge.values import Pcm

# The exit code of a capture child whose device is not there.
EXIT_ABSENT = 3
# What one that plays a tone says on stderr once it does.
PLAYING = "playing into"

MAGIC = b"UTN1"
_HEADER = struct.Struct("<4sHHIIQQI")
# Bounds, generous against any sound card and small against any damage: 64 channels, telegraph to 768 kHz, 2 s a frame.
_MAX_CHANNELS = 64
_RATES = range(1000, 768_001)
_MAX_SECONDS = 2
_MAX_LOST_SECONDS = 7 * 86_400


class WireError(SourceError):
    """What came through the pipe is not a frame."""


class Flag(IntFlag):
    """What a frame says beside its sound."""

    NONE = 0
    # The sound system said that it threw sound away just before this frame.
    OVERFLOW = 1
    # Nothing follows: the recording is over. A pipe that closes without it is a child that died.
    END = 2


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
    samples, channels = packet.pcm.shape
    sound = packet.pcm.astype("<i2", copy=False).tobytes()
    head = (MAGIC, int(packet.flags), channels, packet.rate, samples, packet.lost, packet.ended_ns)
    crc = zlib.crc32(sound, zlib.crc32(_HEADER.pack(*head, 0)))
    return _HEADER.pack(*head, crc) + sound


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
        if len(self._buffer) < _HEADER.size:
            if not MAGIC.startswith(bytes(self._buffer[:4])):
                raise WireError("the capture child wrote something that is not sound")
            return None
        magic, flags, channels, rate, samples, lost, ended_ns, crc = _HEADER.unpack_from(self._buffer)
        if (
            magic != MAGIC
            or not 1 <= channels <= _MAX_CHANNELS
            or rate not in _RATES
            or samples > _MAX_SECONDS * rate
            or lost > _MAX_LOST_SECONDS * rate
            or flags & ~(Flag.OVERFLOW | Flag.END)
        ):
            raise WireError("the capture child wrote something that is not sound")
        size = _HEADER.size + samples * channels * 2
        if len(self._buffer) < size:
            return None
        sound = bytes(self._buffer[_HEADER.size : size])
        del self._buffer[:size]
        if crc != zlib.crc32(sound, zlib.crc32(_HEADER.pack(magic, flags, channels, rate, samples, lost, ended_ns, 0))):
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
