"""A bundle that comes over the bus in pieces: collected in a file, in order, resumed by offset, whole only by its sha256.

    <state_dir>/incoming/<kind>-<sha256>.part    what has come so far; its length is the offset that is wanted next

One transfer a kind at a time: a newer one takes the place of one that was broken off.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.bundle.archive import MAX_BYTES, sync
from edge.bus.commands import ModelInstall
from edge.errors import ModelError, StoreError

# The file as it came, what is unpacked of it, and what the box itself needs to go on writing meanwhile.
_ROOM = 2.0
_ROOM_KEPT_BYTES = 16_000_000
# What nobody has gone on with for a day is not gone on with.
_STALE_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`offset`: how many bytes are there, and so what to send next. `news`: whether this chunk was the one wanted."""

    offset: int
    size: int
    news: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """The transfers of one box. Owned by one thread. `clock` is the wall clock, seconds since 1970."""

    folder: Path
    clock: Callable[[], float] = time.time

    def take(self, chunk: ModelInstall) -> Progress | Path:
        """Keep a chunk; the whole file once nothing is missing and its hash is right. `drop` it when it has been used.

        Raises ModelError where the transfer is refused (expired, damaged, oversized), StoreError where there is no room for it.
        """
        self._refuse(chunk)
        path = self.folder / f"{chunk.model}-{chunk.sha256}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            have = path.stat().st_size if path.exists() else 0
            if not have:
                self._make_room(chunk)
            if chunk.offset > have or chunk.offset + len(chunk.data) <= have:
                return self._whole(path, chunk) if have == chunk.size else Progress(offset=have, size=chunk.size, news=False)
            _append(path, chunk.data[have - chunk.offset :])
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StoreError(f"no room for {chunk.size / 1e6:.1f} MB in {self.folder}: {error.strerror}; make room on that disk") from error
        have = chunk.offset + len(chunk.data)
        return self._whole(path, chunk) if have == chunk.size else Progress(offset=have, size=chunk.size, news=True)

    def drop(self, path: Path) -> None:
        """A whole file has been installed, or refused."""
        path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Forget what was broken off long ago."""
        for path in self.folder.glob("*.part"):
            if path.stat().st_mtime < self.clock() - _STALE_S:
                path.unlink(missing_ok=True)

    def _refuse(self, chunk: ModelInstall) -> None:
        if chunk.size > MAX_BYTES:
            raise ModelError(f"{chunk.size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB of any bundle; it is not one of ours")
        if chunk.expires_at is None:
            return
        try:
            until = datetime.fromisoformat(chunk.expires_at)
        except ValueError as error:
            raise ModelError("'expires_at' is no RFC 3339 time; send it with `undertone-convert push`") from error
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        if until.timestamp() < self.clock():
            raise ModelError(f"expired at {chunk.expires_at}: it was sent for an earlier day; push it again (or set this box's clock)")

    def _make_room(self, chunk: ModelInstall) -> None:
        """For the first chunk: older transfers of the kind go, and the disk must hold this one."""
        for other in self.folder.glob(f"{chunk.model}-*.part"):
            other.unlink(missing_ok=True)
        needed = chunk.size * _ROOM + _ROOM_KEPT_BYTES
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise StoreError(f"no room: {needed / 1e6:.0f} MB needed and {free / 1e6:.0f} MB free in {self.folder}; make room on that disk")

    def _whole(self, path: Path, chunk: ModelInstall) -> Path:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != chunk.sha256:
            path.unlink(missing_ok=True)
            raise ModelError(f"damaged on the way: sha256 {found[:12]}… where {chunk.sha256[:12]}… was promised; push it again")
        return path


def _append(path: Path, data: bytes) -> None:
    """Put `data` at the end of the file, on the disk when this returns."""
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
