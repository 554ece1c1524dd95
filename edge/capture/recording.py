"""What a recording is before it is decoded: a file or what a pipe brought, and a stretch of it as a file of its own."""

import io
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.capture.container import Stretch
from edge.errors import InputError, SourceError
from edge.files.durable import unreadable

# Ten hours of a two-channel call at 8 kHz. What comes through a pipe is kept in memory: sound is never written to disk.
_PIPE_BYTES = 1 << 30

Contents = bytes | mmap.mmap


@dataclass(frozen=True, slots=True, kw_only=True)
class Piped:
    """A recording that came through a pipe, whole: it can be opened as often as a file."""

    name: str
    data: bytes = field(repr=False)

    def __str__(self) -> str:
        return self.name


Recording = Path | Piped


def path_of(recording: Recording) -> Path:
    """What an error names as the recording's path: of what came through a pipe, the pipe's."""
    return recording if isinstance(recording, Path) else Path(recording.name)


def recording(path: Path) -> Recording:
    """What the command line means by `path`: a file; what a pipe brings until it ends, where it is `-`, /dev/stdin or a FIFO.

    Raises InputError where it is not there, may not be read or is a terminal, SourceError where a pipe brings nothing, or more than a
    gigabyte.
    """
    if str(path) == "-":
        path = Path("/dev/stdin")
    if fault := unreadable(path):
        raise InputError(fault, path=path, remedy="check the path, and that this user may read it")
    kind = path.stat().st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISCHR(kind) or stat.S_ISSOCK(kind)):
        return path
    # By its number: a socket cannot be opened by its name.
    with os.fdopen(os.dup(0), "rb") if path == Path("/dev/stdin") else path.open("rb") as pipe:
        if pipe.isatty():
            raise InputError(
                "nothing is piped in", path=path, remedy="give a recording, or pipe one: sox in.wav -t wav - | undertone replay -"
            )
        data = pipe.read(_PIPE_BYTES + 1)
    if len(data) > _PIPE_BYTES:
        raise SourceError(f"more than {_PIPE_BYTES >> 20} MB came through the pipe", path=path, remedy="give a file")
    if not data:
        raise SourceError("nothing came through the pipe", path=path, remedy="see what the command before the pipe says, or give a file")
    return Piped(name=str(path), data=data)


@contextmanager
def contents(path: Recording) -> Iterator[Contents | None]:
    """The recording's bytes, not read before they are looked at; None where the file is not there, empty, or cannot be mapped."""
    if isinstance(path, Piped):
        yield path.data
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            mapped = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):
            mapped = None
        yield mapped


class StretchFile(io.RawIOBase):
    """A stretch of a file's bytes as a file of its own, with its patches."""

    def __init__(self, data: Contents, stretch: Stretch) -> None:
        self._data, self._stretch, self._at = data, stretch, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Bytes from the stretch's beginning."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file; `offset` may lie behind the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stretch.end - self._stretch.start}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Bytes copied into `buffer`; 0 at the end."""
        begin = self._stretch.start + self._at
        piece = bytearray(self._data[begin : min(begin + len(buffer), self._stretch.end)])
        for where, patch in self._stretch.patches:
            for number, byte in enumerate(patch):
                if 0 <= where + number - self._at < len(piece):
                    piece[where + number - self._at] = byte
        buffer[: len(piece)] = bytes(piece)
        self._at += len(piece)
        return len(piece)
