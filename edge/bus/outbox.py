"""Events on their way out, on disk until the broker has them.

What `put` has committed (SQLite, WAL, synchronous=FULL) is published at least once and leaves the file only on PUBACK, over any
number of crashes of the broker, of this process and of the machine. What could not be kept is announced by a `gap` event:

    the size bound     oldest events go first, alerts never                gap: topic, first..last, reason evicted
    a full disk        events wait in memory, bounded; then the oldest go  gap: topic, first..last, reason not_stored
    a damaged file     set aside, started afresh                           gap: topic "*", all else null, reason store_damaged

Each topic counts its events (`sequence`) and no number is used twice, so the numbers alone prove that nothing is missing. After a
damaged file they go on from the Unix time in ms, far above any that was used.
"""

import logging
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec

from edge.bus import endings
from edge.bus.envelope import envelope, lifetime_s
from edge.bus.events import Alert, Event, Failed, Started, Summary
from edge.bus.held import Arrived, Held
from edge.bus.store import Counts, DamageError, Store
from edge.bus.topics import EVERY_TOPIC, GAP

_log = logging.getLogger("undertone.outbox")

_ALERTS, _REST = 0, 1
# Of the size bound, this share is never filled by anything but alerts.
_RESERVED_FOR_ALERTS = 0.2
# What a row costs beside its body: id, topic, numbers and two indices (measured: 180 to 260 bytes).
_ROW_BYTES = 260
# Evicting down to this share of the bound makes one gap of many events instead of a gap an event.
_EVICT_TO = 0.9
# PUBACKs are written together, because each commit wears the SD card; a crash before that only sends the events again.
_TIDY_ROWS, _TIDY_S = 64, 1.0


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


def _crc(id_: str, topic: str, sequence: int, body: bytes) -> int:
    """SQLite does not see a flipped bit inside a value."""
    return zlib.crc32(body, zlib.crc32(f"{id_} {topic} {sequence}".encode()))


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
        self._tidied_at = time.monotonic()
        self._evicted = 0
        self._bytes = {_ALERTS: 0, _REST: 0}
        self._lost_store = False
        self._store = Store(path, self._replaced)
        for lane, size in self._store.read("SELECT lane, SUM(length(body) + ?) FROM events GROUP BY lane", _ROW_BYTES):
            self._bytes[lane] = size
        if self._lost_store:
            self._flush()

    @property
    def boot(self) -> int:
        """How often this outbox was opened: counts up with each start of the box."""
        return self._store.boot

    def put(self, events: Sequence[Event]) -> None:
        """Commit `events` in one transaction; an id that is there already is not stored again.

        Never raises for the disk's sake: what it does not take is held in memory and tried again (see the top of this file).
        """
        uptime, wall = self._uptime(), time.time()
        with self._lock:
            self._held.add(Arrived(event=event, uptime=uptime, wall=wall) for event in events)
            # While the disk does not take what is held, not every put tries it all again.
            if time.monotonic() >= self._store.retry_at:
                self._flush()
            self._held.keep_to_limit()
        if self.woken is not None:
            self.woken()

    def recover(self) -> None:
        """End what an earlier process left open: its alerts (`end`, reason restart), then its calls (`failed`, reason restart)."""
        with self._lock:
            ends = self._store.attempt(self._ends) or []
        if ends:
            _log.warning("outbox.recovered ended=%d", len(ends))
        if ends or self._lost_store:
            self.put(ends)

    def _ends(self) -> list[Event]:
        alerts = self._store.execute("SELECT snapshot, topic FROM open_alerts ORDER BY rowid").fetchall()
        calls = self._store.execute("SELECT call, line, started_at FROM open_calls ORDER BY rowid").fetchall()
        try:
            return [endings.alert_after_crash(*found) for found in alerts] + [endings.call_after_crash(*found) for found in calls]
        except (msgspec.MsgspecError, TypeError) as error:
            raise DamageError(f"what was open cannot be read: {error}") from error

    def pending(self, limit: int, *, without: Collection[str] = ()) -> list[Row]:
        """Up to `limit` events to send next: alerts first, then in order of commit; none in flight, none on a topic in `without`."""
        with self._lock:
            self._tidy()
            if (self._held or self._lost_store) and time.monotonic() >= self._store.retry_at:
                self._flush()
            aside = self._in_flight | self._acknowledged
            columns = "row, id, topic, lane, sequence, boot, uptime, wall, lifetime, body, crc"
            marks = ",".join("?" * len(without))
            query = f"SELECT {columns} FROM events WHERE topic NOT IN ({marks}) ORDER BY lane, row LIMIT ?"  # noqa: S608 (only question marks)
            return (self._store.attempt(lambda: self._rows(query, (*without, limit + len(aside)), aside)) or [])[:limit]

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
            return replace(self._store.counts(), held=len(self._held), evicted=self._evicted, commits=self._store.commits)

    def close(self) -> None:
        """Write what is still to be written and let go of the file."""
        with self._lock:
            if self._held or self._lost_store:
                self._flush()
            self._tidy(now=True)
            self._store.close()

    # --- writing -----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what is held, and with it what was acknowledged."""
        if self._commit(self._write_held):
            self._held.written()
            self._lost_store = False
            self._forget_acknowledged()

    def _tidy(self, *, now: bool = False) -> None:
        """Delete what was acknowledged, many at a time."""
        due = len(self._acknowledged) >= _TIDY_ROWS or time.monotonic() - self._tidied_at >= _TIDY_S
        if self._acknowledged and (now or due) and self._commit(self._delete_acknowledged):
            self._forget_acknowledged()

    def _forget_acknowledged(self) -> None:
        self._acknowledged.clear()
        self._tidied_at = time.monotonic()

    def _commit(self, work: Callable[[], None]) -> bool:
        before = (dict(self._bytes), dict(self._growing), self._evicted)
        done = self._store.commit(work)
        if not done:
            self._bytes, self._growing, self._evicted = before
        return done

    def _replaced(self) -> None:
        """The file was damaged; what is in memory about it goes with it, and the next thing that is written says so."""
        self._lost_store = True
        self._in_flight, self._acknowledged, self._growing = set(), set(), {}
        self._bytes = {_ALERTS: 0, _REST: 0}

    def _write_held(self) -> None:
        self._delete_acknowledged()
        if self._lost_store:
            self._insert(self._arrived(endings.unknown_gap(EVERY_TOPIC, self._store.boot, "store_damaged")))
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
        if self._store.execute("SELECT 1 FROM events WHERE id = ?", (event.id,)).fetchone():
            return None
        sequence = self._count_up(event.topic, 1)
        body = envelope(event, site=self._site, device=self._device, sequence=sequence)
        lane = _ALERTS if event.alert_lane else _REST
        crc = _crc(event.id, event.topic, sequence, body)
        cursor = self._store.execute(
            "INSERT INTO events (id, topic, lane, sequence, boot, uptime, wall, lifetime, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event.id, event.topic, lane, sequence, self._store.boot, arrived.uptime, arrived.wall, lifetime_s(event), body, crc),
        )
        self._bytes[lane] += len(body) + _ROW_BYTES
        return cursor.lastrowid

    def _count_up(self, topic: str, by: int) -> int:
        """The topic's sequence after counting `by` further."""
        query = "INSERT INTO sequences VALUES (?, ?) ON CONFLICT (topic) DO UPDATE SET last = last + ? RETURNING last"
        return int(self._store.execute(query, (topic, self._store.base + by, by)).fetchone()[0])

    def _keep_open(self, event: Event) -> None:
        """What a restart would have to end."""
        match event.data:
            case Started(call=call, line=line, started_at=started_at):
                self._store.execute("INSERT OR REPLACE INTO open_calls VALUES (?, ?, ?)", (call, line, started_at))
            case Summary(call=call) | Failed(call=call):
                self._store.execute("DELETE FROM open_calls WHERE call = ?", (call,))
            case Alert(state="end", alert=alert):
                self._store.execute("DELETE FROM open_alerts WHERE alert = ?", (alert,))
            case Alert(alert=alert) as snapshot:
                self._store.execute(
                    "INSERT OR REPLACE INTO open_alerts VALUES (?, ?, ?)", (alert, event.topic, msgspec.json.encode(snapshot))
                )

    def _delete_acknowledged(self) -> None:
        self._delete(self._acknowledged)

    def _delete(self, rows: Iterable[int]) -> None:
        for row in rows:
            for lane, length in self._store.execute("DELETE FROM events WHERE row = ? RETURNING lane, length(body)", (row,)).fetchall():
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
        for row, topic, sequence, length in self._store.execute(query, (_REST, GAP)):
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
                sequence = self._store.execute("SELECT sequence FROM events WHERE row = ?", (row,)).fetchone()[0]
                self._growing[topic] = (row, sequence, first, last)
            return
        row, sequence, first, _ = growing
        lost = endings.gap(topic, first, last, "evicted")
        body = envelope(lost, site=self._site, device=self._device, sequence=sequence)
        self._bytes[_REST] += len(body) - self._store.execute("SELECT length(body) FROM events WHERE row = ?", (row,)).fetchone()[0]
        crc = _crc(lost.id, lost.topic, sequence, body)
        self._store.execute("UPDATE events SET id = ?, body = ?, crc = ? WHERE row = ?", (lost.id, body, crc, row))
        self._growing[topic] = (row, sequence, first, last)

    def _rows(self, query: str, values: tuple[object, ...], aside: Collection[int]) -> list[Row]:
        return [self._row(columns) for columns in self._store.execute(query, values) if columns[0] not in aside]

    def _row(self, columns: tuple[Any, ...]) -> Row:
        row, id_, topic, lane, sequence, boot, uptime, wall, lifetime, body, crc = columns
        if crc != _crc(id_, topic, sequence, body):
            raise DamageError(f"event {row} is not as it was written")
        # Within one life of the process the wall clock may jump; uptime does not.
        age = max(self._uptime() - uptime if boot == self._store.boot else time.time() - wall, 0.0)
        alert_lane = lane == _ALERTS
        return Row(row=row, id=id_, topic=topic, alert_lane=alert_lane, sequence=sequence, age_s=age, lifetime_s=lifetime, body=body)
