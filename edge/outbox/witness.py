"""What the outbox has given out, in a small file beside it: an outbox that comes back older than it was, or not at all, is found out.

SQLite's file can be deleted, and its log (`-wal`) deleted or cut, without SQLite noticing: it goes on from an older state. The witness
knows up to which number each topic had come, and which calls were open.

It is written after a commit and before anybody is shown what was committed, so a number that the world has seen is in it. A write goes to
one of two places in the file, in turn, and only where something has changed: an idle box writes nothing. It is flushed when a call begins
or ends and at start and stop; between, the kernel writes it back (within 30 s), so that it costs no flush an event. A killed process loses
nothing of it; a power cut may lose its last seconds, which is asked about only where the outbox is damaged as well (`Marks.exact`).
"""

import logging
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import msgspec

from edge.files.durable import give_to_owner

_log = logging.getLogger("undertone.outbox")

# Each of the two places; far more than any box has topics for. The file is sparse: it takes as much room as is written.
_PLACE_BYTES = 1 << 20
# Generation, length of what follows, checksum of both and of what follows.
_HEAD = struct.Struct("<QII")
_MACHINE = Path("/proc/sys/kernel/random/boot_id")


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """`sequences`: of each topic the last number given out; `calls`: those that are open, id -> (line, started_at).

    `machine` names the start of the machine in which it was written; `closed`: the outbox was let go of properly.
    """

    boot: int
    base: int
    sequences: dict[str, int]
    calls: dict[str, tuple[str, str]]
    machine: str = ""
    closed: bool = False

    @property
    def exact(self) -> bool:
        """Whether the outbox cannot have gone on after this was written."""
        return self.closed or (self.machine != "" and self.machine == machine_start())


def machine_start() -> str:
    """What the kernel calls the time since the machine was started; "" where it has no name for it."""
    with suppress(OSError):
        return _MACHINE.read_text(encoding="ascii").strip()
    return ""


class Witness:
    """The file. `last` is what the process before this one, or this one, has written; None where there is nothing to be read.

    `there`: whether there was a file at all. For one thread at a time. A disk that does not take it costs the witness, not the outbox.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, -1
        self._machine = machine_start()
        self.there = path.exists()
        self.last, self._generation = _read(path)
        self._well = True

    def tell(self, marks: Marks) -> None:
        """Write `marks`, where they say anything new."""
        marks = msgspec.structs.replace(marks, machine=self._machine)
        before = self.last
        if marks == before:
            return
        lasting = before is None or marks.closed or before.closed or marks.calls != before.calls or marks.boot != before.boot
        try:
            self._write(msgspec.json.encode(marks), lasting=lasting)
        except OSError as error:
            if self._well:
                _log.warning("outbox.witness_unwritable path=%s error=%s", self._path, error.strerror)
            self._well = False
            return
        self.last, self._well = marks, True

    def close(self) -> None:
        """Let go of the file: what was told last is all."""
        if self.last is not None:
            self.tell(msgspec.structs.replace(self.last, closed=True))
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, content: bytes, *, lasting: bool) -> None:
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            give_to_owner(self._path, of=self._path.parent)
        generation = self._generation + 1
        head = _HEAD.pack(generation, len(content), _checksum(generation, content))
        os.pwrite(self._file, head + content, generation % 2 * _PLACE_BYTES)
        if lasting:
            os.fdatasync(self._file)
        self._generation = generation


def _checksum(generation: int, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(struct.pack("<QI", generation, len(content))))


def _read(path: Path) -> tuple[Marks | None, int]:
    """The newer of the two that are whole, and its generation."""
    found: list[tuple[int, Marks]] = []
    try:
        with path.open("rb") as file:
            for place in (0, _PLACE_BYTES):
                file.seek(place)
                head = file.read(_HEAD.size)
                if len(head) < _HEAD.size:
                    continue
                generation, length, checksum = _HEAD.unpack(head)
                content = file.read(min(length, _PLACE_BYTES))
                if _checksum(generation, content) == checksum:
                    found.append((generation, msgspec.json.decode(content, type=Marks)))
    except FileNotFoundError:
        return None, 0
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        _log.error("outbox.witness_unreadable path=%s error=%s", path, error)
        return None, 0
    if not found:
        _log.error("outbox.witness_unreadable path=%s error='nothing in it is whole'", path)
        return None, 0
    generation, marks = max(found, key=lambda one: one[0])
    return marks, generation
