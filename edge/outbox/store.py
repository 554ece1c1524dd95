"""The outbox's file while it is open: locked, written in transactions, and replaced where it is damaged.

WAL and synchronous=FULL: what a transaction has committed survives a power cut. A damaged file is set aside (`.damaged`, the last one
is kept) and an empty one begun whose numbers are above all that were used: they go on from the Unix time in ms. A witness beside it says
up to where it had come (edge.outbox.witness), and is told after each commit.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from edge.errors import StoreError
from edge.files.durable import how_to_write_in
from edge.outbox.counts import Counts, count
from edge.outbox.lock import only_one
from edge.outbox.sqlite import ERRORS, Cursor, DamageError, connect, is_damage, is_unwritable
from edge.outbox.witness import Marks, Witness

_log = logging.getLogger("undertone.outbox")

# Between two tries to write what the disk did not take.
_RETRY_S = 1.0
# Its name in the state directory, and the witness's.
FILE, WITNESS = "outbox.sqlite", "outbox.witness"
_PARTS = ("", "-wal", "-shm")

_T = TypeVar("_T")


class Store:
    """The file. For one thread at a time; one process at a time, by a lock beside the file that dies with its process.

    `boot` counts how often it was opened; `base` is where the numbers of its topics begin. `replaced` is called after a damaged file
    was set aside, and at each opening until that is `announced`. `before` is what the witness knew as it was opened (None: nothing that
    matters); `log_gone`: its log was not there, though it was not let go of. Raises StoreError where there can be no file.
    """

    def __init__(self, path: Path, replaced: Callable[[], None]) -> None:
        self.boot = self.base = self.commits = 0
        self.retry_at = float("-inf")
        self._path, self._replaced = path, replaced
        self._guard = only_one(path)
        try:
            self._witness = Witness(path.with_name(WITNESS))
            self.before: Marks | None = self._witness.last
            self.log_gone = self.before is not None and not self.before.closed and not _part(path, "-wal").exists()
            self._open()
        except BaseException:
            os.close(self._guard)
            raise

    def execute(self, query: str, values: tuple[object, ...] = ()) -> Cursor:
        """Run one statement, inside a `commit`."""
        return self._db.execute(query, values)

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query; none where the disk does not give them now."""
        return self.attempt(lambda: self._db.execute(query, values).fetchall()) or []

    def commit(self, work: Callable[[], object]) -> bool:
        """Do `work` in one transaction: all of it (True), or none because the disk does not take it now (False)."""
        return self.attempt(lambda: self._transaction(work)) is not None

    def announced(self) -> None:
        """That the file before this one was lost stands in this one; inside a commit."""
        self._db.execute("DELETE FROM meta WHERE key = 'unannounced'")

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the write-ahead log either."""
        self.attempt(lambda: self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    def counts(self) -> Counts:
        """What is in the file."""
        found = self.attempt(lambda: count(self._db)) or Counts(rows=0, alert_rows=0, oldest_s=None)
        return replace(found, commits=self.commits)

    def set_aside(self) -> list[Path]:
        """The damaged files that were set aside and are still there."""
        return sorted(self._path.parent.glob(f"{self._path.name}.damaged*"))

    def close(self) -> None:
        """Let go of the file."""
        # First: a log that is gone is damage only where nobody had let go.
        self._witness.close()
        self._db.close()
        os.close(self._guard)

    def attempt(self, work: Callable[[], _T]) -> _T | None:
        """What `work` returns; None where the disk does not allow it. A damaged file is replaced, then `work` is done once more."""
        for again in (True, False):
            try:
                return work()
            except ERRORS as error:
                if again and is_damage(error):
                    self._db.close()
                    self._begin_anew(str(error))
                    continue
                if time.monotonic() >= self.retry_at:
                    _log.error("outbox.unwritable error=%s", error)
                    self.retry_at = time.monotonic() + _RETRY_S
        return None

    def _transaction(self, work: Callable[[], object]) -> bool:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.commits += 1
        self.retry_at = float("-inf")
        self._testify()
        return True

    def _testify(self) -> None:
        """Tell the witness how far it has come: before anybody is shown what was committed."""
        sequences = dict(self._db.execute("SELECT topic, last FROM sequences"))
        calls = {call: (line, at) for call, line, at in self._db.execute("SELECT call, line, started_at FROM calls WHERE ended IS NULL")}
        self._witness.tell(Marks(boot=self.boot, base=self.base, sequences=sequences, calls=calls))

    def _open(self) -> None:
        existed = self._path.exists()
        if not existed and self._witness.there:
            self._begin_anew("the file is gone")
            return
        _make_writable(self._path)
        try:
            self._db = connect(self._path, expect_tables=existed)
            self._begin_or_let_go()
        except ERRORS as error:
            if not existed or not (is_damage(error) or is_unwritable(error)):
                raise StoreError(f"cannot be opened: {error}", path=self._path, remedy=how_to_write_in(self._path.parent)) from error
            self._begin_anew(str(error))

    def _begin_anew(self, reason: str) -> None:
        """Set the file aside and begin an empty one, in which the calls are open that were."""
        last = self._witness.last
        # A clock that was never set must not begin below what was used.
        used = max([last.base, last.boot, *last.sequences.values()]) if last else 0
        base = max(int(time.time() * 1000), used + 1)
        aside = _part(self._path, ".damaged")
        try:
            for suffix in _PARTS:
                if (part := _part(self._path, suffix)).exists():
                    part.replace(_part(aside, suffix))
            self._db = connect(self._path, expect_tables=False)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('base', ?), ('boot', ?), ('unannounced', 1)", (base, base))
            # Rows that were on their way must not be taken for rows of the new file.
            self._db.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (base,))
            for call, (line, at) in (last.calls if last else {}).items():
                self._db.execute("INSERT INTO calls VALUES (?, ?, ?, NULL, 0, NULL, NULL)", (call, line, at))
        except (*ERRORS, OSError) as error:
            remedy = how_to_write_in(self._path.parent)
            raise StoreError(f"damaged ({reason}) and cannot be replaced: {error}", path=self._path, remedy=remedy) from error
        _log.error("outbox.damaged error=%s set_aside=%s", reason, aside)
        self.before, self.log_gone = None, False
        self._begin_or_let_go()

    def _begin_or_let_go(self) -> None:
        """Count this start; where the file does not allow it, its handle is not left open beside the next one."""
        try:
            self._count_start()
        except BaseException:
            self._db.close()
            raise

    def _count_start(self) -> None:
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        base, boot = meta.get("base", 0), meta.get("boot", 0)
        if not isinstance(base, int) or not isinstance(boot, int):
            raise DamageError("its counters are no numbers")
        known = self.before
        self.base, self.boot = max(base, known.base if known else 0), max(boot, known.boot if known else 0) + 1
        self.attempt(lambda: self._db.execute("INSERT OR REPLACE INTO meta VALUES ('boot', ?)", (self.boot,)))
        if meta.get("unannounced"):
            self._replaced()


def _part(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _make_writable(path: Path) -> None:
    """Put a copy in the place of a file that may be read but not written: what is in it is whole. Where that fails, opening will say."""
    for part in (path, _part(path, "-wal")):
        if part.exists() and not os.access(part, os.W_OK):
            copy = _part(part, ".copy")
            with suppress(OSError):
                shutil.copyfile(part, copy)
                copy.replace(part)
                _log.warning("outbox.copied path=%s reason=read-only", part)
