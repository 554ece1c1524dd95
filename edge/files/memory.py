"""A folder in memory, for what is written so often that it would wear out an SD card."""

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_MOUNTS = Path("/proc/self/mounts")
# How /proc writes a space in a path, and its kin.
_OCTAL = re.compile(r"\\([0-7]{3})")


def memory_folder(owner: Path) -> Path | None:
    """A folder of ours in memory, there now, the same each time for the folder `owner`; None where this system has no place for one.

    systemd's RuntimeDirectory, else the session's folder in /run, else one in /dev/shm that nobody else can read.
    """
    return next((place for place in _candidates(owner) if in_memory(place) and _is_ours(place)), None)


def in_memory(place: Path) -> bool:
    """Whether what is written at `place` stays in memory, by the file system that is, or would be, below it."""
    whole = place.resolve()
    kind, longest = "", -1
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return False
    for line in mounts.splitlines():
        _, written, mounted, *_ = line.split(" ")
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), written))
        # The last of those that are mounted on one another is the one that is seen.
        if whole.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = mounted, len(point.parts)
    return kind in _IN_MEMORY


def _candidates(owner: Path) -> Iterator[Path]:
    # Of one unit several boxes' folders, and of one user's several boxes, must differ.
    mark = sha256(str(owner.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    # systemd.exec(5): the unit's own, colons between them.
    if given := os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]:
        yield Path(given)
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(session) / f"undertone-{mark}"
    if os.geteuid() == 0:
        yield Path(f"/run/undertone-{mark}")
    yield Path(f"/dev/shm/undertone-{os.geteuid()}-{mark}")  # noqa: S108 (made for us alone, or not taken)


def _is_ours(place: Path) -> bool:
    """Whether `place` is a folder that we may write, made if it was not there; one that somebody else has put there is not."""
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        return os.access(place, os.W_OK | os.X_OK) and place.stat().st_uid == os.geteuid()
    except OSError:
        return False
