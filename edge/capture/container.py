"""Where the sound in a recording's file is, told from its bytes: streams that follow one another, and headers that say too little.

libsndfile plays the first stream of a file and believes its header. Recorders chain streams (Ogg, FLAC), write to pipes where no
size can be filled in afterwards, and are killed before they fill it in: what they recorded is in the file all the same.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

# A program that wrote to a pipe left one of these, or more: sox 0x7FFFF000, ffmpeg 0xFFFFFFFF.
SIZE_UNKNOWN = 0x7FFF_F000
# The block that begins every FLAC stream: marker, and a STREAMINFO of 34 bytes.
_FLAC = b"fLaC\x00\x00\x00\x22"
_OGG_HEADER = 27
_OGG_FIRST = 2  # RFC 3533, section 6: the flag of a page that begins a logical stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One recording within a file: its bytes from `start` to `end`, and what must be written over them (offset in it, bytes)."""

    start: int
    end: int
    patches: tuple[tuple[int, bytes], ...] = ()


def stretches(data: bytes | mmap.mmap) -> list[Stretch]:
    """The recordings in a file, in order; one, without patches, where there is nothing to mend."""
    if data[:4] == b"OggS":
        starts = [0, *_ogg_links(data)]
    elif data[:4] == b"fLaC":
        starts = [0, *_found(data, _FLAC)]
    elif data[:4] in (b"RIFF", b"RIFX", b"FORM"):
        return list(_chunked(data))
    elif data[:4] == b".snd":
        return [_au(data)]
    else:
        starts = [0]
    return [Stretch(start=start, end=end) for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _found(data: bytes | mmap.mmap, marker: bytes) -> Iterator[int]:
    at = data.find(marker, 1)
    while at != -1:
        yield at
        at = data.find(marker, at + 1)


def _ogg_links(data: bytes | mmap.mmap) -> Iterator[int]:
    """Where a chained stream begins: a first page after pages that were none (RFC 3533, section 4)."""
    at, within = 0, False
    while at != -1 and at + _OGG_HEADER <= len(data):
        if data[at : at + 4] != b"OggS":
            at = data.find(b"OggS", at)
            continue
        first, segments = bool(data[at + 5] & _OGG_FIRST), data[at + 26]
        if first and within:
            yield at
        within = not first
        at += _OGG_HEADER + segments + sum(data[at + _OGG_HEADER : at + _OGG_HEADER + segments])


def _chunked(data: bytes | mmap.mmap) -> Iterator[Stretch]:
    """RIFF, RIFX and AIFF files, also one behind another."""
    start = 0
    while start < len(data):
        order = "<" if data[start : start + 4] == b"RIFF" else ">"
        found = _sound_chunk(data, start, order)
        if found is None:
            yield Stretch(start=start, end=len(data))
            return
        at, size = found
        begin = at + 8
        after = begin + size + size % 2
        if size < SIZE_UNKNOWN and after < len(data) and _begins(data, after):
            yield Stretch(start=start, end=after)
            start = after
            continue
        rest = len(data) - begin
        if size >= SIZE_UNKNOWN or (size < rest and not _chunks_follow(data, after, order)):
            sizes = ((4, len(data) - start - 8), (at + 4 - start, rest))
            yield Stretch(
                start=start, end=len(data), patches=tuple((where, struct.pack(order + "I", min(n, 0xFFFF_FFFE))) for where, n in sizes)
            )
            return
        yield Stretch(start=start, end=len(data))
        return


def _begins(data: bytes | mmap.mmap, at: int) -> bool:
    return data[at : at + 4] in (b"RIFF", b"RIFX", b"FORM") and data[at + 8 : at + 12] in (b"WAVE", b"AIFF", b"AIFC")


def _sound_chunk(data: bytes | mmap.mmap, start: int, order: str) -> tuple[int, int] | None:
    """Where the chunk with the sound begins, and its size by its header."""
    at = start + 12
    while at + 8 <= len(data):
        (size,) = struct.unpack(order + "I", data[at + 4 : at + 8])
        if data[at : at + 4] in (b"data", b"SSND"):
            return at, size
        at += 8 + size + size % 2
    return None


def _chunks_follow(data: bytes | mmap.mmap, at: int, order: str) -> bool:
    """Whether all from `at` on is chunks (tags, cue points), so that the size before them is right; padding counts as nothing."""
    while at + 8 <= len(data):
        (size,) = struct.unpack(order + "I", data[at + 4 : at + 8])
        if not all(0x20 <= byte < 0x7F for byte in data[at : at + 4]) or at + 8 + size > len(data):  # noqa: PLR2004 (printable ASCII)
            return False
        at += 8 + size + size % 2
    # Less than a chunk's head, and not silent: the last samples of sound that the header leaves out.
    return not any(data[at:])


def _au(data: bytes | mmap.mmap) -> Stretch:
    offset, size = struct.unpack(">II", data[4:12].ljust(8, b"\0"))
    whole = Stretch(start=0, end=len(data))
    if not 0 < offset < len(data) or len(data) - offset <= size < SIZE_UNKNOWN:
        return whole
    return Stretch(start=0, end=len(data), patches=((8, struct.pack(">I", len(data) - offset)),))
