"""One process at a time has an outbox open: a lock beside its file that dies with the process."""

import fcntl
import os
import time
from pathlib import Path

from edge.errors import StoreError
from edge.files.durable import how_to_write

# Longer than anybody takes who only asks whether the file is in use.
_ASKING_S = 0.2


def only_one(path: Path) -> int:
    """The descriptor of a lock that only this process holds. Raises StoreError where another does, or the folder is not ours."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=path.parent, remedy=how_to_write(error)) from error
    # One that only asks (`in_use`) holds it for an instant.
    give_up = time.monotonic() + _ASKING_S
    while not _locks(guard, fcntl.LOCK_EX):
        if time.monotonic() > give_up:
            os.close(guard)
            raise StoreError("in use by another undertone", path=path, remedy="stop that one first, or give this one its own state_dir")
        time.sleep(_ASKING_S / 10)
    return guard


def in_use(path: Path) -> bool:
    """Whether a process that lives now has the outbox at `path` open: its lock dies with it. What may not be looked at is not in use."""
    try:
        guard = os.open(_lock_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _locks(guard, fcntl.LOCK_SH)
    finally:
        os.close(guard)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _locks(guard: int, how: int) -> bool:
    try:
        fcntl.flock(guard, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
