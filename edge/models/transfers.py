"""Bundles that come over the bus in pieces: collected in a file, in order, resumed by offset, whole only by its sha256.

    <state_dir>/incoming/<kind>-<sha256>.part    what has come so far; its length is the offset that is wanted next
                        /outcomes.json           what became of the last files: one that comes twice (QoS 1 allows it, and a sender may
                                                 ask again) is not installed twice, and a bad one not a second time

One transfer a kind at a time: a newer one takes the place of one that was broken off.
"""

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge.bundle.archive import MAX_BYTES
from edge.errors import Key, ModelError, StoreError
from edge.files.durable import how_to_write, replace_whole, sync
from edge.values import ModelKind
from edge.wire.commands import ModelInstall

_log = logging.getLogger("undertone.models")

# The file as it came, what is unpacked of it, and what the box itself needs to go on writing meanwhile.
_ROOM = 2.0
_ROOM_KEPT_BYTES = 16_000_000
# What nobody has gone on with for a day is not gone on with.
_STALE_S = 86_400.0
# Between two words to the sender of a large model: it may be that far ahead.
_PROGRESS_EVERY_BYTES = 1_000_000
# A sender asks again within days; a box gets a few models a month.
_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`offset`: how many bytes of `size` are there, and so what to send next."""

    offset: int
    size: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was installed as `name`, and why it was taken back, if it was."""

    sha256: str
    name: str
    version: str
    reason: str | None = None


class Transfers:
    """The transfers of one box, in `folder`. Owned by one thread.

    `refuse` raises ModelError for a kind that this box takes from nobody.
    """

    def __init__(self, folder: Path, *, refuse: Callable[[ModelKind], None] = lambda _: None) -> None:
        self.folder, self._refuse_kind = folder, refuse
        self._refused, self._announced_bytes = "", 0

    def take(self, chunk: ModelInstall) -> Path | Progress | Outcome | None:
        """Keep a chunk; the whole file once nothing is missing and its hash is right. Look at it with `using`.

        Else what its sender is to be told: how far it is, or what became of the same file before. None: nothing new. Raises
        ModelError where the transfer is refused (expired, damaged, oversized), StoreError where there is no room for it.
        """
        if chunk.sha256 == self._refused and chunk.offset:
            return None  # the rest of what was refused
        self._refused = ""
        if (before := self.outcome(chunk.sha256)) is not None:
            return before if chunk.offset == 0 else None
        self._refuse(chunk)
        have, wanted = self._keep(chunk)
        if have == chunk.size:
            return self._whole(self.path(chunk), chunk)
        if wanted and chunk.offset and have - self._announced_bytes < _PROGRESS_EVERY_BYTES:
            return None
        self._announced_bytes = have
        return Progress(offset=have, size=chunk.size)

    def refused(self, chunk: ModelInstall) -> None:
        """The rest of its file is passed over, until its sender begins again."""
        self._refused = chunk.sha256

    @contextmanager
    def using(self, path: Path) -> Iterator[Path]:
        """A whole file, gone once it has been installed, or refused."""
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Forget what was broken off long ago."""
        for path in self.folder.glob("*.part"):
            if path.stat().st_mtime < time.time() - _STALE_S:
                path.unlink(missing_ok=True)

    def path(self, chunk: ModelInstall) -> Path:
        """Where its file is collected."""
        return self.folder / f"{chunk.model}-{chunk.sha256}.part"

    def _keep(self, chunk: ModelInstall) -> tuple[int, bool]:
        """How many bytes are there now, and whether the chunk was the one wanted. Raises StoreError."""
        path = self.path(chunk)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            have = path.stat().st_size if path.exists() else 0
            if not have:
                self._make_room(chunk)
            if chunk.offset > have or chunk.offset + len(chunk.data) <= have:
                return have, False
            _append(path, chunk.data[have - chunk.offset :])
        except OSError as error:
            path.unlink(missing_ok=True)
            much = f"no room for {chunk.size / 1e6:.1f} MB: {error.strerror}"
            raise StoreError(much, path=self.folder, remedy=how_to_write(error)) from error
        return chunk.offset + len(chunk.data), True

    def _refuse(self, chunk: ModelInstall) -> None:
        self._refuse_kind(chunk.model)
        if chunk.size > MAX_BYTES:
            raise ModelError(
                f"{chunk.size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB of any bundle", remedy="it is not one of ours"
            )
        if chunk.expires_at is None:
            return
        try:
            until = datetime.fromisoformat(chunk.expires_at)
        except ValueError as error:
            raise ModelError("no RFC 3339 time", where=Key("expires_at"), remedy="send it with `undertone-convert push`") from error
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        if until.timestamp() < time.time():
            late = f"expired at {chunk.expires_at}: it was sent for an earlier day"
            raise ModelError(late, remedy="push it again (or set this box's clock)")

    def _make_room(self, chunk: ModelInstall) -> None:
        """For the first chunk: older transfers of the kind go, and the disk must hold this one."""
        for other in self.folder.glob(f"{chunk.model}-*.part"):
            other.unlink(missing_ok=True)
        needed = chunk.size * _ROOM + _ROOM_KEPT_BYTES
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            much = f"no room: {needed / 1e6:.0f} MB needed and {free / 1e6:.0f} MB free"
            raise StoreError(much, path=self.folder, remedy="make room on that disk")

    def _whole(self, path: Path, chunk: ModelInstall) -> Path:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != chunk.sha256:
            path.unlink(missing_ok=True)
            raise ModelError(f"damaged on the way: sha256 {found[:12]}… where {chunk.sha256[:12]}… was promised", remedy="push it again")
        return path

    def outcome(self, sha256: str) -> Outcome | None:
        """What became of the file; None if it was never installed here."""
        return next((one for one in reversed(self._read()) if one.sha256 == sha256), None)

    def remember(self, sha256: str, *, name: str, version: str) -> None:
        """It was installed."""
        self._write([*self._read(), Outcome(sha256=sha256, name=name, version=version)])

    def explain(self, sha256: str | None, reason: str | None) -> None:
        """It was taken back, and why."""
        self._write([msgspec.structs.replace(one, reason=reason) if one.sha256 == sha256 else one for one in self._read()])

    def _read(self) -> list[Outcome]:
        try:
            return msgspec.json.decode((self.folder / "outcomes.json").read_bytes(), type=list[Outcome])
        except (OSError, ValueError, RecursionError):
            return []  # the worst of it: a file that comes twice is checked twice

    def _write(self, outcomes: list[Outcome]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_whole(self.folder / "outcomes.json", msgspec.json.encode(outcomes[-_KEPT:]) + b"\n")
        except OSError as error:
            _log.warning("transfers.unwritten error=%s", error)


def _append(path: Path, data: bytes) -> None:
    """Put `data` at the end of the file, on the disk when this returns."""
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
