"""How a capture child writes sound into its pipe: framed blocks that say what was lost and when they ended (read: edge.capture.packets).

    magic "UTN1" | flags | channels | rate | samples | lost | ended_ns | crc32 | samples x channels x int16, little-endian

Without numpy: a child that has died is heard again only after its replacement has imported all that it imports.
"""

import struct
import zlib
from enum import IntFlag

# The exit code of a capture child whose device is not there.
EXIT_ABSENT = 3
# What one that plays a tone says on stderr once it does.
PLAYING = "playing into"

MAGIC = b"UTN1"
HEADER = struct.Struct("<4sHHIIQQI")
SAMPLE_BYTES = 2


class Flag(IntFlag):
    """What a frame says beside its sound."""

    NONE = 0
    # The sound system said that it threw sound away just before this frame.
    OVERFLOW = 1
    # Nothing follows: the recording is over. A pipe that closes without it is a child that died.
    END = 2


def framed(sound: bytes, *, channels: int, rate: int, lost: int, ended_ns: int, flags: Flag = Flag.NONE) -> bytes:
    """`sound` (s16le, `channels` interleaved) as it goes through the pipe; for the numbers see edge.capture.packets.Packet."""
    head = (MAGIC, int(flags), channels, rate, len(sound) // (SAMPLE_BYTES * channels), lost, ended_ns)
    return HEADER.pack(*head, checksum(sound, head)) + sound


def checksum(sound: bytes, head: tuple[bytes | int, ...]) -> int:
    """Covers the header too, which is packed with 0 in the checksum's place."""
    return zlib.crc32(sound, zlib.crc32(HEADER.pack(*head, 0)))
