"""What `undertone status` reads: the box's state and health, written each second into memory and found through the state directory.

`<state_dir>/status.json` is a link to the file while the service runs, and the file itself, once more, when it has stopped.
"""

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.clock import now
from edge.errors import Problem
from edge.files.memory import memory_folder
from edge.outbox import store
from edge.outbox.lock import in_use
from edge.voice.baseline import LineBaseline
from edge.wire.codes import BoxState
from edge.wire.device import Health, ModelChange, State

_log = logging.getLogger("undertone.status")

FILE = "status.json"
# Where there is no memory to write to: 6 kB, 60 times an hour. A change of the state is written at once all the same.
_DISK_EVERY_S = 60.0
# A service that is later than this is stuck: on a box that is very busy a beat takes some seconds.
_LATE_S = 10.0


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong, as the doctor takes it into its table."""

    fault: str
    remedy: str | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The file. `problems` are the reasons of `state`, as data; `baselines` is what each line's voices are used to.

    `probation` is how each model on probation stands, `bus_problem` what is wrong with the broker, None where nothing is.
    The next one comes within `every_s` seconds.
    """

    state: State
    problems: list[Wrong]
    health: Health
    baselines: dict[str, LineBaseline] = msgspec.field(default_factory=dict)
    probation: list[ModelChange] = msgspec.field(default_factory=list)
    connected: bool
    bus_problem: str | None
    written_at: str = msgspec.field(default_factory=now)
    every_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the file says, how old that is, and whether the process that writes it lives: `running` is one that also goes on."""

    status: Status
    age_s: float
    alive: bool

    @property
    def running(self) -> bool:
        """Whether what the status says is so now."""
        return self.alive and self.status.state.state is not BoxState.STOPPED and self.age_s < self.status.every_s + _LATE_S


def listed(problems: Iterable[Problem]) -> list[Wrong]:
    """`problems` as the file has them."""
    return [Wrong(fault=one.fault, remedy=one.remedy) for one in problems]


class StatusFile:
    """The file as the service keeps it. A disk that takes nothing is logged."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._memory = memory_folder(state_dir)
        self._place = self._path if self._memory is None else self._memory / FILE
        self._linked = self._memory is None
        self._last: tuple[float, State] | None = None

    def write(self, status: Status) -> None:
        """Write it, never half: where that is to a disk, no more often than the disk bears."""
        moment = time.monotonic()
        if self._memory is None:
            if self._last is not None and moment < self._last[0] + _DISK_EVERY_S and status.state == self._last[1]:
                return
            status = msgspec.structs.replace(status, every_s=_DISK_EVERY_S)
        try:
            _put(self._place, msgspec.json.encode(status))
            if not self._linked:
                self._link()
        except OSError as error:
            _log.warning("status.unwritten error=%s", error)
        self._last = moment, status.state

    def close(self, status: Status) -> None:
        """Write the last one, to where it outlives the process and its folder in memory."""
        try:
            _put(self._path, msgspec.json.encode(status))
        except OSError as error:
            _log.warning("status.unwritten error=%s", error)
            return
        if self._memory is not None:
            # systemd's own folder is systemd's to remove.
            self._place.unlink(missing_ok=True)
            with suppress(OSError):
                self._memory.rmdir()

    def _link(self) -> None:
        part = self._path.with_name(f"{FILE}.part")
        part.unlink(missing_ok=True)
        part.symlink_to(self._place.absolute())
        part.replace(self._path)
        self._linked = True


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(f"{FILE}.part")
    part.unlink(missing_ok=True)
    part.write_bytes(content)
    part.replace(path)


def read(state_dir: Path) -> Reading:
    """What the service of `state_dir` wrote last. Raises OSError and msgspec.MsgspecError where there is nothing to read."""
    path = state_dir / FILE
    status = msgspec.json.decode(path.read_bytes(), type=Status)
    return Reading(status=status, age_s=max(0.0, time.time() - path.stat().st_mtime), alive=in_use(state_dir / store.FILE))


def read_running(state_dir: Path) -> Status | None:
    """What a service that runs now says; None where none does."""
    try:
        found = read(state_dir)
    except (OSError, msgspec.MsgspecError):
        return None
    return found.status if found.running else None


def remove(state_dir: Path) -> list[Path]:
    """Delete the file, wherever it lies; what was deleted. The service must not run. Raises OSError."""
    path = state_dir / FILE
    found = [path.resolve(), path] if path.is_symlink() else [path]
    there = [one for one in found if one.is_symlink() or one.exists()]
    for one in there:
        one.unlink()
    return there
