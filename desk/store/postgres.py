"""PostgreSQL, where one machine or one process is outgrown: the same statements, any number of web processes."""

import re
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from queue import LifoQueue
from typing import Any, cast

import msgspec
import psycopg
from psycopg.rows import dict_row

from desk.store.seam import Row, statements
from edge.errors import StoreError

# One writer at a time, as in SQLite: then the feed of changes is in order of commit. The number is ours alone.
_WRITER_LOCK = 2_026_112_9
# Whoever waits for changes is woken as the transaction commits.
_BEGUN = f"SELECT pg_advisory_xact_lock({_WRITER_LOCK}), pg_notify('undertone_desk', '')"
# Threads that read at once; a server has a hundred connections for all processes.
_READERS = 8
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
_AMONG = re.compile(r"IN \(:(\w+)\.\.\.\)")
_INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)\s+VALUES \(([^)]*)\)")


@cache
def _translated(name: str) -> bytes:
    among = _AMONG.sub(r"= ANY(CAST(:\1 AS TEXT[]))", statements()[name])
    return _PARAMETER.sub(r"%(\1)s", among.replace("%", "%%")).encode()


@cache
def _of_many(name: str) -> bytes:
    """The INSERT `name` for any number of rows, which come as JSON and are typed as the table is: one round trip, one plan."""
    found = _INSERT.match(statements()[name])
    assert found is not None, name  # noqa: S101 (a statement of ours)
    columns = [part.strip() for part in found[2].split(",")]
    assert [f":{column}" for column in columns] == [part.strip() for part in found[3].split(",")], name  # noqa: S101 (as the seam asks)
    text = f"INSERT INTO {found[1]} ({found[2]}) SELECT {', '.join(columns)} FROM json_populate_recordset(NULL::{found[1]}, %s::json)"  # noqa: S608
    return (text + statements()[name][found.end() :].replace("%", "%%")).encode()


class _Statements:
    """A transaction's statements on one connection."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection

    def all(self, name: str, /, **values: object) -> list[Row]:
        return self._connection.execute(_translated(name), values).fetchall()

    def one(self, name: str, /, **values: object) -> Row | None:
        return self._connection.execute(_translated(name), values).fetchone()

    def run(self, name: str, /, **values: object) -> int:
        return self._connection.execute(_translated(name), values).rowcount

    def insert(self, name: str, /, rows: Sequence[Mapping[str, object]]) -> list[Row]:
        if not rows:
            return []
        done = self._connection.execute(_of_many(name), [msgspec.json.encode(rows).decode()])
        return done.fetchall() if done.description else []

    def many(self, name: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_translated(name), rows)

    def script(self, text: str) -> None:
        self._connection.execute(text.replace("{{serial}}", "BIGSERIAL PRIMARY KEY").encode())


@contextmanager
def _ended(connection: "psycopg.Connection[Row]") -> Iterator[None]:
    """COMMIT, or ROLLBACK where the block raises."""
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


class PostgresDatabase:
    """The database at `url`. Connections that broke are made anew. Raises StoreError."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._where = re.sub(r"//[^@/]*@", "//", url)
        self._writing = threading.Lock()
        self._writer: psycopg.Connection[Row] | None = None
        self._watcher: psycopg.Connection[Row] | None = None
        self._keepers: dict[str, psycopg.Connection[Row]] = {}
        self._free: LifoQueue[psycopg.Connection[Row] | None] = LifoQueue()
        for _ in range(_READERS):
            self._free.put(None)
        self._all: list[psycopg.Connection[Row]] = []
        with self.read() as tx:
            tx.one("database_is_there")

    def _usable(self, connection: "psycopg.Connection[Row] | None", first: str) -> "psycopg.Connection[Row]":
        """`connection`, or a new one where the server has dropped it meanwhile; `first` was its first statement."""
        if connection is not None:
            try:
                connection.execute(first.encode())
            except (psycopg.OperationalError, psycopg.InterfaceError):
                # Gone already where the last try to make a new one failed, too.
                with suppress(ValueError):
                    self._all.remove(connection)
                connection.close()
            else:
                return connection
        made: Any = psycopg.connect(self._url, row_factory=dict_row, autocommit=True, connect_timeout=5)
        self._all.append(made)
        made.execute(first)
        return cast("psycopg.Connection[Row]", made)

    @contextmanager
    def write(self) -> Iterator[_Statements]:
        """One transaction that may write. Raises StoreError."""
        with self._writing, self._told():
            self._writer = self._usable(self._writer, "BEGIN")
            with _ended(self._writer):
                self._writer.execute(_BEGUN)
                yield _Statements(self._writer)

    @contextmanager
    def read(self) -> Iterator[_Statements]:
        """One consistent view. Raises StoreError."""
        connection = self._free.get()
        try:
            with self._told():
                connection = self._usable(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                with _ended(connection):
                    yield _Statements(connection)
        finally:
            self._free.put(connection)

    def wait(self, seconds: float) -> None:
        """Until some process has committed, or for `seconds`. Raises StoreError."""
        with self._told():
            self._watcher = self._usable(self._watcher, "LISTEN undertone_desk")
            for _ in self._watcher.notifies(timeout=seconds, stop_after=1):
                pass

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        """See Database. A lock of the session: the server lets go of it when this process dies. Raises StoreError."""
        lock = f"(CAST({_WRITER_LOCK} AS INTEGER), CAST({zlib.crc32(task.encode()) >> 1} AS INTEGER))"
        with self._told():
            keeper = self._keepers[task] = self._usable(self._keepers.get(task), "SELECT 1")
            found = keeper.execute(f"SELECT pg_try_advisory_lock{lock} AS mine".encode()).fetchone()
        mine = bool(found and found["mine"])
        try:
            yield mine
        finally:
            if mine:
                with suppress(psycopg.Error):
                    keeper.execute(f"SELECT pg_advisory_unlock{lock}".encode())

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            # What is no outage (a value that no column takes) is a defect of ours, and no waiting mends it.
            text = str(error).strip().partition("\n")[0]
            raise StoreError(
                text, where=self._where, remedy="check that the server runs and that this user may use the database"
            ) from error

    def backup(self, path: str) -> None:
        """PostgreSQL has its own: raises StoreError that names it."""
        raise StoreError(f"no copy of PostgreSQL was made at {path}", where=self._where, remedy="use pg_dump")

    def close(self) -> None:
        """Let go of every connection."""
        for connection in self._all:
            with suppress(psycopg.Error):
                connection.close()
