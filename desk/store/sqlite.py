"""SQLite, the database by default: WAL, one writer, as many readers as there are threads."""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from desk.store.seam import Row, statements
from edge.errors import StoreError

# A writer of another process (rebuild, erase, the second desk) may hold the lock this long before we say so.
_BUSY_S = 15.0
# What a person takes for "at once"; a look costs 2 us.
_LOOK_S = 0.03
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is erased shall be gone from the file, too.
    "PRAGMA secure_delete = ON",
)


_AMONG = re.compile(r"IN \(:(\w+)\.\.\.\)")


@cache
def translated(name: str) -> str:
    """The statement `name` as SQLite takes it: a list is JSON there."""
    return _AMONG.sub(r"IN (SELECT value FROM json_each(:\1))", statements()[name])


def _bound(values: Mapping[str, object]) -> dict[str, object]:
    return {key: json.dumps(value) if isinstance(value, list) else value for key, value in values.items()}


class _Statements:
    """A transaction's statements on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, name: str, /, **values: object) -> list[Row]:
        return [dict(row) for row in self._connection.execute(translated(name), _bound(values))]

    def one(self, name: str, /, **values: object) -> Row | None:
        # All of it: an unread rest of UPDATE ... RETURNING would not have happened.
        rows = self.all(name, **values)
        return rows[0] if rows else None

    def run(self, name: str, /, **values: object) -> int:
        return self._connection.execute(translated(name), _bound(values)).rowcount

    def insert(self, name: str, /, rows: Sequence[Mapping[str, object]]) -> list[Row]:
        if " RETURNING " in translated(name):
            return [found for row in rows for found in self.all(name, **row)]
        self.many(name, rows)
        return []

    def many(self, name: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        self._connection.executemany(translated(name), rows)

    def script(self, text: str) -> None:
        # executescript() would commit first; statements end with a semicolon at a line's end.
        for part in text.replace("{{serial}}", "INTEGER PRIMARY KEY AUTOINCREMENT").split(";\n"):
            if part.strip():
                self._connection.execute(part)


class SqliteDatabase:
    """The database in the file at `path`, made if it is not there. Raises StoreError."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._readers = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._watcher: sqlite3.Connection | None = None
        self._version: object = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._open()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"cannot be opened as a database: {error}", path=path, remedy="give a path in a folder that is yours"
            ) from error
        with suppress(OSError):
            path.chmod(0o600)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        self._all.append(connection)
        return connection

    @contextmanager
    def write(self) -> Iterator[_Statements]:
        """One transaction that may write: BEGIN IMMEDIATE, so that what it read stays true. Raises StoreError."""
        with self._writing, self._told(), self._block(self._writer, "BEGIN IMMEDIATE"):
            yield _Statements(self._writer)

    @contextmanager
    def read(self) -> Iterator[_Statements]:
        """One consistent view. Raises StoreError."""
        with self._told():
            connection = getattr(self._readers, "connection", None)
            if connection is None:
                connection = self._readers.connection = self._open()
            with self._block(connection, "BEGIN"):
                yield _Statements(connection)

    @contextmanager
    def _block(self, connection: sqlite3.Connection, begin: str) -> Iterator[None]:
        connection.execute(begin)
        try:
            yield
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.InterfaceError):
            # No outage (a value that no column takes): a defect of ours, and no waiting mends it.
            raise
        except sqlite3.Error as error:
            raise StoreError(str(error), path=self._path, remedy="check the disk, its space and who else writes to the file") from error

    def wait(self, seconds: float) -> None:
        """Until another connection, of whichever process, has committed, or for `seconds`. Raises StoreError."""
        end = time.monotonic() + seconds
        with self._told():
            if self._watcher is None:
                self._watcher = self._open()
            while (found := tuple(self._watcher.execute("PRAGMA data_version").fetchone())) == self._version and time.monotonic() < end:
                time.sleep(_LOOK_S)
            self._version = found

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:  # noqa: ARG002 (what two do at once is done once: each looks again as it writes)
        """One machine, mostly one process: always."""
        yield True

    def backup(self, path: str) -> None:
        """A whole copy at `path`, while others write. Raises StoreError."""
        with self._told():
            source, target = self._open(), sqlite3.connect(path)
            try:
                source.backup(target)
            finally:
                target.close()

    def close(self) -> None:
        """Let go of every connection."""
        for connection in self._all:
            with suppress(sqlite3.Error):
                connection.close()
