"""The outbox's SQLite file as such: its tables, how it is opened and checked, and what counts as damage."""

import sqlite3
from pathlib import Path
from sqlite3 import Connection, Cursor

__all__ = ["ERRORS", "MIGRATIONS", "Connection", "Cursor", "DamageError", "connect", "is_damage", "is_unwritable", "look"]

# Steps of the file's layout; user_version counts those taken. Never change one: add another.
MIGRATIONS = (
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
    # Calls are known for longer than they last, and alerts outlive them.
    """
    CREATE TABLE calls (
        call TEXT PRIMARY KEY, line TEXT NOT NULL, started_at TEXT NOT NULL, pbx_call_id TEXT, utterances INTEGER NOT NULL, ended REAL
    );
    INSERT INTO calls SELECT call, line, started_at, NULL, 0, NULL FROM open_calls;
    CREATE TABLE alerts (
        alert TEXT PRIMARY KEY, call TEXT NOT NULL, line TEXT NOT NULL, told REAL NOT NULL, until REAL NOT NULL, snapshot BLOB NOT NULL
    );
    CREATE INDEX alerts_by_call ON alerts (call);
    CREATE INDEX calls_by_pbx ON calls (pbx_call_id);
    DROP TABLE open_calls;
    DROP TABLE open_alerts
    """,
    # What vouches for a counter (null where it was not written yet); the open calls are looked up at every commit.
    """
    ALTER TABLE sequences ADD COLUMN crc INTEGER;
    CREATE INDEX open_calls ON calls (call) WHERE ended IS NULL
    """,
    # Which topics come next is asked at every PUBACK.
    "DROP INDEX events_by_lane; CREATE INDEX events_by_lane ON events (lane, row, topic)",
    # So that a customer can be forgotten by name.
    "ALTER TABLE calls ADD COLUMN customer_ref TEXT",
)
# Another process may read (`undertone status`); no reader takes longer.
_BUSY_S = 5.0
# Python cannot even say what SQLite said where a damaged name is in the message.
ERRORS = (sqlite3.Error, UnicodeDecodeError)
# SQLITE_ERROR (a table is gone), SQLITE_CORRUPT, SQLITE_NOTADB: the file is no longer what we wrote.
_DAMAGED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class DamageError(sqlite3.DatabaseError):
    """Damage that SQLite does not see: raised inside `Store.attempt`, it has the file replaced."""


def connect(path: Path, *, expect_tables: bool) -> Connection:
    """The file at `path`, sound and of the present layout. A file without tables, where some are expected, is damaged.

    Raises one of `ERRORS`.
    """
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    # Of ours, so that a text which is no UTF-8 is a UnicodeDecodeError; Python's own is an OperationalError like any other.
    db.text_factory = bytes.decode
    try:
        # secure_delete: what has left the outbox is overwritten, not only forgotten.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            db.execute(f"PRAGMA {pragma}")
        taken = db.execute("PRAGMA user_version").fetchone()[0]
        if (expect_tables and taken == 0) or taken > len(MIGRATIONS):
            raise DamageError("no outbox of this version" if taken else "emptied")  # noqa: TRY301 (handled as any damage)
        problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise DamageError(problem)  # noqa: TRY301 (handled as any damage)
        for number, step in enumerate(MIGRATIONS[taken:], start=taken + 1):
            db.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT;")
        # A file that cannot be written is found out now, not at the first event.
        db.execute("INSERT OR REPLACE INTO meta SELECT key, value FROM meta LIMIT 1")
    except BaseException:
        db.close()
        raise
    return db


def look(path: Path) -> Connection:
    """The file at `path`, to read beside the box that writes it. Raises one of `ERRORS`."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)


def is_damage(error: Exception) -> bool:
    """Whether one of `ERRORS` says that the file is not what we wrote."""
    return isinstance(error, DamageError | UnicodeDecodeError) or _code(error) in _DAMAGED


def is_unwritable(error: Exception) -> bool:
    """Whether one of `ERRORS` says that the file is not ours to write."""
    return _code(error) in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for what is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
