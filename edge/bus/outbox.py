"""Events on their way out, on disk until the broker has them.

What `put` has committed (SQLite, WAL, synchronous=FULL) is published at least once and leaves the file only on PUBACK, over any
number of crashes of the broker, of this process and of the machine. What could not be kept is announced by a `gap` event:

    the size bound     oldest events go first, alerts never                gap: topic, first..last, reason evicted
    a full disk        events wait in memory, bounded; then the oldest go  gap: topic, first..last, reason not_stored
    a damaged file     set aside, started afresh                           gap: topic "*", all else null, reason store_damaged

Each topic counts its events (`sequence`) and no number is used twice, so the numbers alone prove that nothing is missing. After a
damaged file they go on from the Unix time in ms, far above any that was used.
"""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import msgspec

from edge.bus import endings
from edge.bus.envelope import envelope, lifetime_s
from edge.bus.events import Alert, Event, Failed, Started, Summary
from edge.bus.held import Arrived, Held
from edge.bus.topics import EVERY_TOPIC, GAP
from edge.errors import StoreError

_log = logging.getLogger("undertone.outbox")

# Steps of the file's layout; user_version counts those taken. Never change one: add another.
_MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
    CREATE TABLE sequences (topic TEXT PRIMARY KEY, last INTEGER NOT NULL);
    CREATE TABLE events (
        row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, lane INTEGER NOT NULL,
        sequence INTEGER NOT NULL, boot INTEGER NOT NULL, uptime REAL NOT NULL, wall REAL NOT NULL, lifetime REAL, body BLOB NOT NULL
    );
    CREATE INDEX events_by_lane ON events (lane, row);
    CREATE TABLE open_calls (call TEXT PRIMARY KEY, line TEXT NOT NULL, started_at TEXT NOT NULL);
    CREATE TABLE open_alerts (alert TEXT PRIMARY KEY, topic TEXT NOT NULL, snapshot BLOB NOT NULL);
    """,
)
_ALERTS, _REST = 0, 1
# Of the size bound, this share is never filled by anything but alerts.
_RESERVED_FOR_ALERTS = 0.2
# What a row costs beside its body: id, topic, numbers and two indices (measured: 180 to 260 bytes).
_ROW_BYTES = 260
# Evicting down to this share of the bound makes one gap of many events instead of a gap an event.
_EVICT_TO = 0.9
# PUBACKs are written together, because each commit wears the SD card; a crash before that only sends the events again.
_TIDY_ROWS, _TIDY_S = 64, 1.0
# Between two tries to write what the disk did not take.
_RETRY_S = 1.0
# Another process may read (`undertone status`); no reader takes longer.
_BUSY_S = 5.0
# SQLITE_ERROR (a table is gone), SQLITE_CORRUPT, SQLITE_NOTADB: the file is no longer what we wrote.
_DAMAGED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event to publish: `body` is its CloudEvent. `age_s`: since it was put. `lifetime_s`: see envelope.lifetime_s."""

    row: int
    id: str
    topic: str
    alert_lane: bool
    sequence: int
    age_s: float
    lifetime_s: float | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is in the outbox. `held`: events that the disk did not take yet; `evicted`, `commits`: since the start."""

    rows: int
    alert_rows: int
    oldest_s: float | None
    held: int = 0
    evicted: int = 0
    commits: int = 0


_T = TypeVar("_T")


class _DamageError(sqlite3.DatabaseError):
    """Damage that we found ourselves."""


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Outbox:
    """The events of one box. Thread-safe; one process at a time, by a lock beside the file that dies with its process.

    `woken`, where set, is called after each `put` by the thread that put. Raises StoreError where it cannot begin.
    """

    def __init__(self, path: Path, *, max_bytes: int, site: str, device: str, uptime: Callable[[], float] = _uptime) -> None:
        self.woken: Callable[[], None] | None = None
        self._path, self._max_bytes, self._site, self._device, self._uptime = path, max_bytes, site, device, uptime
        self._lock = RLock()
        self._held = Held()
        self._in_flight: set[int] = set()
        self._acknowledged: set[int] = set()
        # Gaps told by this process and not sent yet: they can still grow. topic -> row, sequence, first, last.
        self._growing: dict[str, tuple[int, int, int, int]] = {}
        self._tidied_at, self._retry_at = time.monotonic(), float("-inf")
        self._evicted = self._commits = 0
        self._boot = self._base = 0
        self._bytes = {_ALERTS: 0, _REST: 0}
        self._guard = _only_one(path)
        try:
            self._open()
        except BaseException:
            os.close(self._guard)
            raise

    @property
    def boot(self) -> int:
        """How often this outbox was opened: counts up with each start of the box."""
        return self._boot

    def put(self, events: Sequence[Event]) -> None:
        """Commit `events` in one transaction; an id that is there already is not stored again.

        Never raises for the disk's sake: what it does not take is held in memory and tried again (see the top of this file).
        """
        uptime, wall = self._uptime(), time.time()
        with self._lock:
            self._held.add(Arrived(event=event, uptime=uptime, wall=wall) for event in events)
            # While the disk does not take what is held, not every put tries it all again.
            if time.monotonic() >= self._retry_at:
                self._flush()
            self._held.keep_to_limit()
        if self.woken is not None:
            self.woken()

    def recover(self) -> None:
        """End what an earlier process left open: its alerts (`end`, reason restart), then its calls (`failed`, reason restart)."""
        with self._lock:
            open_alerts = self._attempt(lambda: self._db.execute("SELECT snapshot, topic FROM open_alerts ORDER BY rowid").fetchall()) or []
            open_calls = (
                self._attempt(lambda: self._db.execute("SELECT call, line, started_at FROM open_calls ORDER BY rowid").fetchall()) or []
            )
        ends = [endings.alert_after_crash(*found) for found in open_alerts] + [endings.call_after_crash(*found) for found in open_calls]
        if ends:
            _log.warning("outbox.recovered calls=%d alerts=%d", len(open_calls), len(open_alerts))
            self.put(ends)

    def pending(self, limit: int, *, without: Collection[str] = ()) -> list[Row]:
        """Up to `limit` events to send next: alerts first, then in order of commit; none in flight, none on a topic in `without`."""
        with self._lock:
            self._tidy()
            if self._held and time.monotonic() >= self._retry_at:
                self._flush()
            aside = self._in_flight | self._acknowledged
            columns = "row, id, topic, lane, sequence, boot, uptime, wall, lifetime, body"
            marks = ",".join("?" * len(without))
            query = f"SELECT {columns} FROM events WHERE topic NOT IN ({marks}) ORDER BY lane, row LIMIT ?"  # noqa: S608 (only question marks)
            rows = self._read(query, *without, limit + len(aside))
            return [self._row(row) for row in rows if row[0] not in aside][:limit]

    def sent(self, row: Row) -> None:
        """`row` is on its way: neither pending nor evictable until one of the next three."""
        with self._lock:
            self._in_flight.add(row.row)
            self._growing = {topic: told for topic, told in self._growing.items() if told[0] != row.row}

    def acknowledged(self, row: Row) -> None:
        """The broker has `row` (PUBACK): it leaves the outbox."""
        with self._lock:
            if row.row in self._in_flight:
                self._in_flight.remove(row.row)
                self._acknowledged.add(row.row)
            self._tidy()

    def refused(self, row: Row) -> None:
        """The broker did not take `row`: it is pending again."""
        with self._lock:
            self._in_flight.discard(row.row)

    def nothing_in_flight(self) -> None:
        """The connection is gone: what was sent and not acknowledged is pending again, in its old order."""
        with self._lock:
            self._in_flight.clear()

    def counts(self) -> Counts:
        """What is in here now."""
        with self._lock:
            self._tidy(now=True)
            counts = self._attempt(lambda: _count(self._db)) or Counts(rows=0, alert_rows=0, oldest_s=None)
            return replace(counts, held=len(self._held), evicted=self._evicted, commits=self._commits)

    def close(self) -> None:
        """Write what is still to be written and let go of the file."""
        with self._lock:
            if self._held:
                self._flush()
            self._tidy(now=True)
            self._db.close()
            os.close(self._guard)

    # --- writing -----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what is held, and with it what was acknowledged."""
        if self._attempt(lambda: self._commit(self._write_held)) is not None:
            self._retry_at = float("-inf")
            self._held.written()
            self._forget_acknowledged()

    def _tidy(self, *, now: bool = False) -> None:
        """Delete what was acknowledged, many at a time."""
        due = len(self._acknowledged) >= _TIDY_ROWS or time.monotonic() - self._tidied_at >= _TIDY_S
        if self._acknowledged and (now or due) and self._attempt(lambda: self._commit(self._delete_acknowledged)) is not None:
            self._forget_acknowledged()

    def _forget_acknowledged(self) -> None:
        self._acknowledged.clear()
        self._tidied_at = time.monotonic()

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._attempt(lambda: self._db.execute(query, values).fetchall()) or []

    def _attempt(self, work: Callable[[], _T]) -> _T | None:
        """What `work` returns; None where the disk did not take it. A damaged file is replaced, then `work` is done once more."""
        for again in (True, False):
            try:
                return work()
            except sqlite3.Error as error:
                if again and _is_damage(error):
                    self._start_afresh(str(error))
                    continue
                if time.monotonic() >= self._retry_at:
                    _log.error("outbox.unwritable error=%s held=%d", error, len(self._held))
                    self._retry_at = time.monotonic() + _RETRY_S
        return None

    def _commit(self, work: Callable[[], object]) -> bool:
        """Do `work` in one transaction: all of it, or none. True."""
        before = (dict(self._bytes), dict(self._growing), self._evicted)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._db.execute("COMMIT")
        except BaseException:
            self._bytes, self._growing, self._evicted = before
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._commits += 1
        return True

    def _write_held(self) -> None:
        self._delete_acknowledged()
        for (topic, _), count in sorted(self._held.dropped.items()):
            last = self._count_up(topic, count)
            self._insert(self._arrived(endings.gap(topic, last - count + 1, last, "not_stored")))
        for arrived in self._held:
            self._insert(arrived)
            self._keep_open(arrived.event)
        self._make_room()

    def _arrived(self, event: Event) -> Arrived:
        return Arrived(event=event, uptime=self._uptime(), wall=time.time())

    def _insert(self, arrived: Arrived) -> int | None:
        """The new row's number; None where its id is there already."""
        event = arrived.event
        if self._db.execute("SELECT 1 FROM events WHERE id = ?", (event.id,)).fetchone():
            return None
        sequence = self._count_up(event.topic, 1)
        body = envelope(event, site=self._site, device=self._device, sequence=sequence)
        lane = _ALERTS if event.alert_lane else _REST
        cursor = self._db.execute(
            "INSERT INTO events (id, topic, lane, sequence, boot, uptime, wall, lifetime, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event.id, event.topic, lane, sequence, self._boot, arrived.uptime, arrived.wall, lifetime_s(event), body),
        )
        self._bytes[lane] += len(body) + _ROW_BYTES
        return cursor.lastrowid

    def _count_up(self, topic: str, by: int) -> int:
        """The topic's sequence after counting `by` further."""
        query = "INSERT INTO sequences VALUES (?, ?) ON CONFLICT (topic) DO UPDATE SET last = last + ? RETURNING last"
        return int(self._db.execute(query, (topic, self._base + by, by)).fetchone()[0])

    def _keep_open(self, event: Event) -> None:
        """What a restart would have to end."""
        match event.data:
            case Started(call=call, line=line, started_at=started_at):
                self._db.execute("INSERT OR REPLACE INTO open_calls VALUES (?, ?, ?)", (call, line, started_at))
            case Summary(call=call) | Failed(call=call):
                self._db.execute("DELETE FROM open_calls WHERE call = ?", (call,))
            case Alert(state="end", alert=alert):
                self._db.execute("DELETE FROM open_alerts WHERE alert = ?", (alert,))
            case Alert(alert=alert) as snapshot:
                self._db.execute("INSERT OR REPLACE INTO open_alerts VALUES (?, ?, ?)", (alert, event.topic, msgspec.json.encode(snapshot)))

    def _delete_acknowledged(self) -> None:
        self._delete(self._acknowledged)

    def _delete(self, rows: Iterable[int]) -> None:
        for row in rows:
            for lane, length in self._db.execute("DELETE FROM events WHERE row = ? RETURNING lane, length(body)", (row,)).fetchall():
                self._bytes[lane] -= length + _ROW_BYTES

    # --- the size bound ----------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        bound = min(self._max_bytes * (1 - _RESERVED_FOR_ALERTS), self._max_bytes - self._bytes[_ALERTS])
        if self._bytes[_REST] <= bound:
            return
        excess = self._bytes[_REST] - max(bound, 0) * _EVICT_TO
        ranges: dict[str, list[tuple[int, int]]] = {}
        evicted = []
        query = "SELECT row, topic, sequence, length(body) FROM events WHERE lane = ? AND topic != ? ORDER BY row"
        for row, topic, sequence, length in self._db.execute(query, (_REST, GAP)):
            if excess <= 0:
                break
            if row in self._in_flight:
                continue
            evicted.append(row)
            excess -= length + _ROW_BYTES
            told = ranges.setdefault(topic, [])
            if told and told[-1][1] == sequence - 1:
                told[-1] = (told[-1][0], sequence)
            else:
                told.append((sequence, sequence))
        self._delete(evicted)
        self._evicted += len(evicted)
        for topic, told in ranges.items():
            for first, last in told:
                self._announce(topic, first, last)
        _log.warning("outbox.evicted events=%d topics=%d", len(evicted), len(ranges))

    def _announce(self, topic: str, first: int, last: int) -> None:
        """Tell a gap, or let the topic's gap that nobody has seen yet grow: a long outage tells one gap a topic."""
        growing = self._growing.get(topic)
        if growing is None or growing[3] != first - 1:
            lost = endings.gap(topic, first, last, "evicted")
            row = self._insert(self._arrived(lost))
            if row is not None:
                sequence = self._db.execute("SELECT sequence FROM events WHERE row = ?", (row,)).fetchone()[0]
                self._growing[topic] = (row, sequence, first, last)
            return
        row, sequence, first, _ = growing
        lost = endings.gap(topic, first, last, "evicted")
        body = envelope(lost, site=self._site, device=self._device, sequence=sequence)
        self._bytes[_REST] += len(body) - self._db.execute("SELECT length(body) FROM events WHERE row = ?", (row,)).fetchone()[0]
        self._db.execute("UPDATE events SET id = ?, body = ? WHERE row = ?", (lost.id, body, row))
        self._growing[topic] = (row, sequence, first, last)

    def _row(self, columns: tuple[Any, ...]) -> Row:
        row, id_, topic, lane, sequence, boot, uptime, wall, lifetime, body = columns
        # Within one life of the process the wall clock may jump; uptime does not.
        age = max(self._uptime() - uptime if boot == self._boot else time.time() - wall, 0.0)
        alert_lane = lane == _ALERTS
        return Row(row=row, id=id_, topic=topic, alert_lane=alert_lane, sequence=sequence, age_s=age, lifetime_s=lifetime, body=body)

    # --- the file ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        existed = self._path.exists()
        try:
            self._db = _connect(self._path, expect_tables=existed)
        except sqlite3.Error as error:
            if not existed or not (_is_damage(error) or _code(error) in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}):
                raise StoreError(f"{self._path}: cannot be opened: {error}; {_REMEDY}") from error
            self._begin_anew(str(error))
            return
        self._begin()

    def _start_afresh(self, reason: str) -> None:
        self._db.close()
        self._begin_anew(reason)

    def _begin_anew(self, reason: str) -> None:
        """Set the file aside, begin an empty one whose numbers are above all that were used, and announce the loss."""
        aside = self._path.with_name(self._path.name + ".damaged")
        try:
            for suffix in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + suffix)
                if part.exists():
                    part.replace(aside.with_name(aside.name + suffix))
            self._db = _connect(self._path, expect_tables=False)
            base = int(time.time() * 1000)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('base', ?), ('boot', ?)", (base, base))
            self._db.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (base,))
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._path}: damaged ({reason}) and cannot be replaced: {error}; {_REMEDY}") from error
        _log.error("outbox.damaged error=%s set_aside=%s", reason, aside)
        self._begin()
        lost = self._arrived(endings.unknown_gap(EVERY_TOPIC, self._boot, "store_damaged"))
        self._commit(lambda: self._insert(lost))

    def _begin(self) -> None:
        """Take over an open file: count this start, and what is in it."""
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        self._base, self._boot = meta.get("base", 0), meta.get("boot", 0) + 1
        self._in_flight, self._acknowledged, self._growing = set(), set(), {}
        lengths = dict(self._db.execute("SELECT lane, SUM(length(body) + ?) FROM events GROUP BY lane", (_ROW_BYTES,)))
        self._bytes = {lane: int(lengths.get(lane, 0)) for lane in (_ALERTS, _REST)}
        self._attempt(lambda: self._db.execute("INSERT OR REPLACE INTO meta VALUES ('boot', ?)", (self._boot,)))


_REMEDY = "free space there, and give the folder to the user that runs undertone"


def read_counts(path: Path) -> Counts:
    """What is in the outbox at `path`, read beside a running box. Raises StoreError where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)) as db:
            return _count(db)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be read: {error}; run this as the user that runs undertone") from error


def _count(db: sqlite3.Connection) -> Counts:
    rows, alert_rows, oldest = db.execute("SELECT COUNT(*), COALESCE(SUM(lane = 0), 0), MIN(wall) FROM events").fetchone()
    return Counts(rows=rows, alert_rows=alert_rows, oldest_s=None if oldest is None else max(time.time() - oldest, 0.0))


def _connect(path: Path, *, expect_tables: bool) -> sqlite3.Connection:
    """The file at `path`, sound and of the present layout. A file without tables, where some are expected, is damaged."""
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            db.execute(f"PRAGMA {pragma}")
        taken = db.execute("PRAGMA user_version").fetchone()[0]
        if (expect_tables and taken == 0) or taken > len(_MIGRATIONS):
            raise _DamageError("no outbox of this version" if taken else "emptied")  # noqa: TRY301 (handled as any damage)
        problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise _DamageError(problem)  # noqa: TRY301 (handled as any damage)
        for number, step in enumerate(_MIGRATIONS[taken:], start=taken + 1):
            db.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT;")
        # A file that cannot be written is found out now, not at the first event.
        db.execute("INSERT OR REPLACE INTO meta SELECT key, value FROM meta LIMIT 1")
    except BaseException:
        db.close()
        raise
    return db


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for what is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    return isinstance(error, _DamageError) or _code(error) in _DAMAGED


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
