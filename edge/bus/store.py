"""The outbox's SQLite file: locked, opened, checked, brought to the present layout, and replaced where it is damaged.

WAL and synchronous=FULL: what a transaction has committed survives a power cut. A damaged file is set aside (`.damaged`, the last one
is kept) and an empty one begun whose numbers are above all that were used: they go on from the Unix time in ms.
"""

import fcntl
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edge.errors import StoreError

_log = logging.getLogger("undertone.outbox")

# Steps of the file's layout; user_version counts those taken. Never change one: add another.
_MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
    CREATE TABLE sequences (topic TEXT PRIMARY KEY, last INTEGER NOT NULL);
    CREATE TABLE events (
        row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, lane INTEGER NOT NULL,
        sequence INTEGER NOT NULL, boot INTEGER NOT NULL, uptime REAL NOT NULL, wall REAL NOT NULL, lifetime REAL, body BLOB NOT NULL,
        crc INTEGER NOT NULL
    );
    CREATE INDEX events_by_lane ON events (lane, row);
    CREATE TABLE open_calls (call TEXT PRIMARY KEY, line TEXT NOT NULL, started_at TEXT NOT NULL);
    CREATE TABLE open_alerts (alert TEXT PRIMARY KEY, topic TEXT NOT NULL, snapshot BLOB NOT NULL);
    """,
    # Null where it was not written yet.
    "ALTER TABLE events ADD COLUMN label_crc INTEGER",
)
# Between two tries to write what the disk did not take.
_RETRY_S = 1.0
# Another process may read (`undertone status`); no reader takes longer.
_BUSY_S = 5.0
# SQLITE_ERROR (a table is gone), SQLITE_CORRUPT, SQLITE_NOTADB: the file is no longer what we wrote.
_DAMAGED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# Python cannot even say what SQLite said where a damaged name is in the message.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)
_REMEDY = "free space there, and give the folder to the user that runs undertone"

# Its name in the state directory.
FILE = "outbox.sqlite"

_T = TypeVar("_T")


class DamageError(sqlite3.DatabaseError):
    """Damage that SQLite does not see: raised inside `Store.attempt`, it has the file replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is in the outbox. `held`: events that the disk did not take yet; `evicted`, `commits`: since the start."""

    rows: int
    alert_rows: int
    oldest_s: float | None
    held: int = 0
    evicted: int = 0
    commits: int = 0


class Store:
    """The file. For one thread at a time; one process at a time, by a lock beside the file that dies with its process.

    `boot` counts how often it was opened; `base` is where the numbers of its topics begin. `replaced` is called after a damaged file
    was set aside. Raises StoreError where there can be no file.
    """

    def __init__(self, path: Path, replaced: Callable[[], None]) -> None:
        self.boot = self.base = self.commits = 0
        self.retry_at = float("-inf")
        self._path, self._replaced = path, replaced
        self._guard = _only_one(path)
        try:
            self._open()
        except BaseException:
            os.close(self._guard)
            raise

    def execute(self, query: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Run one statement, inside a `commit`."""
        return self._db.execute(query, values)

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query; none where the disk does not give them now."""
        return self.attempt(lambda: self._db.execute(query, values).fetchall()) or []

    def commit(self, work: Callable[[], object]) -> bool:
        """Do `work` in one transaction: all of it (True), or none because the disk does not take it now (False)."""
        return self.attempt(lambda: self._transaction(work)) is not None

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the write-ahead log either."""
        self.attempt(lambda: self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    def counts(self) -> Counts:
        """What is in the file."""
        return self.attempt(lambda: _count(self._db)) or Counts(rows=0, alert_rows=0, oldest_s=None)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        os.close(self._guard)

    def attempt(self, work: Callable[[], _T]) -> _T | None:
        """What `work` returns; None where the disk does not allow it. A damaged file is replaced, then `work` is done once more."""
        for again in (True, False):
            try:
                return work()
            except _ERRORS as error:
                if again and _is_damage(error):
                    self._db.close()
                    self._begin_anew(str(error))
                    self._replaced()
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
        return True

    def _open(self) -> None:
        existed = self._path.exists()
        _make_writable(self._path)
        try:
            self._db = _connect(self._path, expect_tables=existed)
            self._count_start()
        except _ERRORS as error:
            if not existed or not (_is_damage(error) or _code(error) in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}):
                raise StoreError(f"{self._path}: cannot be opened: {error}; {_REMEDY}") from error
            self._begin_anew(str(error))
            self._replaced()

    def _begin_anew(self, reason: str) -> None:
        """Set the file aside and begin an empty one."""
        aside = self._path.with_name(self._path.name + ".damaged")
        base = int(time.time() * 1000)
        try:
            for suffix in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + suffix)
                if part.exists():
                    part.replace(aside.with_name(aside.name + suffix))
            self._db = _connect(self._path, expect_tables=False)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('base', ?), ('boot', ?)", (base, base))
            # Rows that were on their way must not be taken for rows of the new file.
            self._db.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (base,))
        except (*_ERRORS, OSError) as error:
            raise StoreError(f"{self._path}: damaged ({reason}) and cannot be replaced: {error}; {_REMEDY}") from error
        _log.error("outbox.damaged error=%s set_aside=%s", reason, aside)
        self._count_start()

    def _count_start(self) -> None:
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        base, boot = meta.get("base", 0), meta.get("boot", 0)
        if not isinstance(base, int) or not isinstance(boot, int):
            raise DamageError("its counters are no numbers")
        self.base, self.boot = base, boot + 1
        self.attempt(lambda: self._db.execute("INSERT OR REPLACE INTO meta VALUES ('boot', ?)", (self.boot,)))


def _make_writable(path: Path) -> None:
    """Put a copy in the place of a file that may be read but not written: what is in it is whole. Where that fails, opening will say."""
    for part in (path, path.with_name(path.name + "-wal")):
        if part.exists() and not os.access(part, os.W_OK):
            copy = part.with_name(part.name + ".copy")
            with suppress(OSError):
                shutil.copyfile(part, copy)
                copy.replace(part)
                _log.warning("outbox.copied path=%s reason=read-only", part)


def read_counts(path: Path) -> Counts:
    """What is in the outbox at `path`, read beside a running box. Raises StoreError where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)) as db:
            return _count(db)
    except _ERRORS as error:
        raise StoreError(f"{path}: cannot be read: {error}; run this as the user that runs undertone") from error


def _count(db: sqlite3.Connection) -> Counts:
    rows, alert_rows, oldest = db.execute("SELECT COUNT(*), COALESCE(SUM(lane = 0), 0), MIN(wall) FROM events").fetchone()
    return Counts(rows=rows, alert_rows=alert_rows, oldest_s=None if oldest is None else max(time.time() - oldest, 0.0))


def _connect(path: Path, *, expect_tables: bool) -> sqlite3.Connection:
    """The file at `path`, sound and of the present layout. A file without tables, where some are expected, is damaged."""
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # secure_delete: what has left the outbox is overwritten, not only forgotten.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            db.execute(f"PRAGMA {pragma}")
        taken = db.execute("PRAGMA user_version").fetchone()[0]
        if (expect_tables and taken == 0) or taken > len(_MIGRATIONS):
            raise DamageError("no outbox of this version" if taken else "emptied")  # noqa: TRY301 (handled as any damage)
        problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise DamageError(problem)  # noqa: TRY301 (handled as any damage)
        for number, step in enumerate(_MIGRATIONS[taken:], start=taken + 1):
            db.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT;")
        # A file that cannot be written is found out now, not at the first event.
        db.execute("INSERT OR REPLACE INTO meta SELECT key, value FROM meta LIMIT 1")
    except BaseException:
        db.close()
        raise
    return db


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for what is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_damage(error: Exception) -> bool:
    # Python itself says that a text is no UTF-8, without a code of SQLite's.
    return isinstance(error, DamageError | UnicodeDecodeError) or _code(error) in _DAMAGED or "decode to UTF-8" in str(error)


def _only_one(path: Path) -> int:
    """The descriptor of a lock that only this process holds. Raises StoreError where another does, or the folder is not ours."""
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be written: {error.strerror}; {_REMEDY}") from error
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(guard)
        raise StoreError(f"{path}: in use by another undertone; stop that one first, or give this one its own state_dir") from error
    return guard
