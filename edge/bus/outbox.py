"""Events on their way out, on disk until the broker has them.

What `put` has committed (SQLite, WAL, synchronous=FULL) is published at least once and leaves the file only on PUBACK, over any
number of crashes of the broker, of this process and of the machine. What could not be kept is announced by a `gap` event:

    the size bound     oldest events go first, alerts never                gap: topic, first..last, reason evicted
    a full disk        events wait in memory, bounded; then the oldest go  gap: topic, first..last, reason not_stored
    given up by hand   `undertone erase`, or older than keep_days          gap: topic, first..last, reason erased
    a damaged file     set aside, started afresh                           gap: topic "*", all else null, reason store_damaged

Each topic counts its events (`sequence`) and no number is used twice, so the numbers alone prove that nothing is missing. After a
damaged file they go on from the Unix time in ms, far above any that was used.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock

from edge.bus import endings
from edge.bus.envelope import envelope, lifetime_s
from edge.bus.events import Event
from edge.bus.held import Arrived, Held
from edge.bus.rows import ALERTS, REST, Row, checksum, count_up, machine_uptime, ranges, read_row
from edge.bus.spread import Spread
from edge.bus.store import Counts, Store
from edge.bus.topics import EVERY_TOPIC, GAP

_log = logging.getLogger("undertone.outbox")

# Of the size bound, this share is never filled by anything but alerts.
_KEPT_FOR_ALERTS = 0.2
# What a row costs beside its body: id, topic, numbers and two indices (measured: 180 to 260 bytes).
_ROW_BYTES = 260
# Evicting down to this share of the bound makes one gap of many events instead of a gap an event.
_EVICT_TO = 0.9
# An outbox that has just become empty is cleared of its traces, at most so often: each time is a write to the SD card.
_SCRUB_S = 60.0
# PUBACKs are written together, because each commit wears the SD card; a crash before that only sends the events again.
_TIDY_ROWS, _TIDY_S = 64, 1.0


class Outbox:
    """The events of one box. Thread-safe; one process at a time, by a lock beside the file that dies with its process.

    `woken`, where set, is called after each `put` by the thread that put; `committed`: from `put` to the commit. Raises StoreError
    where it cannot begin.
    """

    def __init__(self, path: Path, *, max_bytes: int, site: str, device: str, uptime: Callable[[], float] = machine_uptime) -> None:
        self.woken: Callable[[], None] | None = None
        self._path, self._max_bytes, self._site, self._device, self._uptime = path, max_bytes, site, device, uptime
        self._lock = RLock()
        self._held = Held()
        self._in_flight: set[int] = set()
        self._acknowledged: set[int] = set()
        # Gaps told by this process and not sent yet: they can still grow. topic, reason -> row, sequence, first, last.
        self._growing: dict[tuple[str, str], tuple[int, int, int, int]] = {}
        self._tidied_at = time.monotonic()
        self._scrubbed_at, self._traces = float("-inf"), True
        self._evicted = 0
        self.committed = Spread()
        self._bytes = {ALERTS: 0, REST: 0}
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
        uptime, wall, began = self._uptime(), time.time(), time.monotonic()
        with self._lock:
            self._held.add(Arrived(event=event, uptime=uptime, wall=wall) for event in events)
            # While the disk does not take what is held, not every put tries it all again.
            if time.monotonic() >= self._store.retry_at:
                self._flush()
            self._held.keep_to_limit()
            if not self._held:
                self.committed.add(time.monotonic() - began)
        if self.woken is not None:
            self.woken()

    def recover(self) -> None:
        """End what an earlier process left open: its alerts (`end`, reason restart), then its calls (`failed`, reason restart)."""
        with self._lock:
            ends = self._store.attempt(lambda: endings.ends(self._store)) or []
        if ends:
            _log.warning("outbox.recovered ended=%d", len(ends))
        if ends or self._lost_store:
            self.put(ends)

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
            values = (*without, limit + len(aside))
            uptime = self._uptime()

            def work() -> list[Row]:
                found = (columns for columns in self._store.execute(query, values) if columns[0] not in aside)
                return [read_row(columns, uptime=uptime, boot=self._store.boot) for columns in found]

            return (self._store.attempt(work) or [])[:limit]

    def sent(self, row: Row) -> None:
        """`row` is on its way: neither pending nor evictable until one of the next three."""
        with self._lock:
            self._in_flight.add(row.row)
            self._growing = {what: told for what, told in self._growing.items() if told[0] != row.row}

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

    def erase(self, before: float | None, *, open_too: bool = False) -> int:
        """Give up what was put before `before` (Unix seconds; None: everything), alerts too, and tell it (gap, reason erased).

        `open_too`: also what is known of calls and alerts that have not ended; nobody hears of their end then. Returns how many events.
        """
        with self._lock:
            query = "SELECT row, topic, sequence FROM events WHERE topic != ? AND wall < ? ORDER BY row"
            limit = float("inf") if before is None else before
            rows = [found for found in self._store.read(query, GAP, limit) if found[0] not in self._in_flight]

            if not rows and not open_too:
                return 0

            def work() -> None:
                self._give_up(rows, "erased")
                if open_too:
                    endings.forget(self._store)

            done = self._commit(work)
            self._store.scrub()
        return len(rows) if done else 0

    def counts(self) -> Counts:
        """What is in here now."""
        with self._lock:
            self._tidy(now=True)
            self._scrub()
            return replace(self._store.counts(), held=len(self._held), evicted=self._evicted, commits=self._store.commits)

    def close(self) -> None:
        """Write what is still to be written and let go of the file."""
        with self._lock:
            if self._held or self._lost_store:
                self._flush()
            self._tidy(now=True)
            self._store.scrub()
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
        if self._acknowledged and (now or due) and self._commit(lambda: self._delete(self._acknowledged)):
            self._forget_acknowledged()

    def _scrub(self) -> None:
        if self._traces and not any(self._bytes.values()) and time.monotonic() - self._scrubbed_at > _SCRUB_S:
            self._store.scrub()
            self._scrubbed_at, self._traces = time.monotonic(), False

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
        self._bytes = {ALERTS: 0, REST: 0}

    def _write_held(self) -> None:
        self._delete(self._acknowledged)
        if self._lost_store:
            self._insert(self._own(endings.unknown_gap(EVERY_TOPIC, self._store.boot, "store_damaged")))
        for (topic, _), count in sorted(self._held.dropped.items()):
            last = count_up(self._store, topic, count)
            self._insert(self._own(endings.gap(topic, last - count + 1, last, "not_stored")))
        for arrived in self._held:
            self._insert(arrived)
            endings.keep_open(self._store, arrived.event)
        self._make_room()

    def _own(self, event: Event) -> Arrived:
        return Arrived(event=event, uptime=self._uptime(), wall=time.time())

    def _insert(self, arrived: Arrived) -> int | None:
        """The new row's number; None where its id is there already."""
        event = arrived.event
        if self._store.execute("SELECT 1 FROM events WHERE id = ?", (event.id,)).fetchone():
            return None
        sequence = count_up(self._store, event.topic, 1)
        body = envelope(event, site=self._site, device=self._device, sequence=sequence)
        lane = ALERTS if event.alert_lane else REST
        crc = checksum(event.id, event.topic, sequence, body)
        cursor = self._store.execute(
            "INSERT INTO events (id, topic, lane, sequence, boot, uptime, wall, lifetime, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event.id, event.topic, lane, sequence, self._store.boot, arrived.uptime, arrived.wall, lifetime_s(event), body, crc),
        )
        self._bytes[lane] += len(body) + _ROW_BYTES
        return cursor.lastrowid

    def _delete(self, rows: Iterable[int]) -> None:
        for row in rows:
            for lane, length in self._store.execute("DELETE FROM events WHERE row = ? RETURNING lane, length(body)", (row,)).fetchall():
                self._bytes[lane] -= length + _ROW_BYTES
        self._traces = True

    # --- the size bound ----------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        bound = min(self._max_bytes * (1 - _KEPT_FOR_ALERTS), self._max_bytes - self._bytes[ALERTS])
        if self._bytes[REST] <= bound:
            return
        excess = self._bytes[REST] - max(bound, 0) * _EVICT_TO
        evicted: list[tuple[int, str, int]] = []
        query = "SELECT row, topic, sequence, length(body) FROM events WHERE lane = ? AND topic != ? ORDER BY row"
        for row, topic, sequence, length in self._store.execute(query, (REST, GAP)):
            if excess <= 0:
                break
            if row not in self._in_flight:
                evicted.append((row, topic, sequence))
                excess -= length + _ROW_BYTES
        self._evicted += len(evicted)
        self._give_up(evicted, "evicted")

    def _give_up(self, rows: Sequence[tuple[int, str, int]], reason: str) -> None:
        """Delete events (row, topic, sequence), in order, and tell which."""
        self._delete(row for row, _, _ in rows)
        for topic, first, last in ranges(rows):
            self._announce(topic, first, last, reason)
        _log.warning("outbox.%s events=%d", reason, len(rows))

    def _announce(self, topic: str, first: int, last: int, reason: str) -> None:
        """Tell a gap, or let the topic's gap that nobody has seen yet grow: a long outage tells one gap a topic."""
        growing = self._growing.get((topic, reason))
        if growing is None or growing[3] != first - 1:
            lost = endings.gap(topic, first, last, reason)
            row = self._insert(self._own(lost))
            if row is not None:
                sequence = self._store.execute("SELECT sequence FROM events WHERE row = ?", (row,)).fetchone()[0]
                self._growing[topic, reason] = (row, sequence, first, last)
            return
        row, sequence, first, _ = growing
        lost = endings.gap(topic, first, last, reason)
        body = envelope(lost, site=self._site, device=self._device, sequence=sequence)
        self._bytes[REST] += len(body) - self._store.execute("SELECT length(body) FROM events WHERE row = ?", (row,)).fetchone()[0]
        crc = checksum(lost.id, lost.topic, sequence, body)
        self._store.execute("UPDATE events SET id = ?, body = ?, crc = ? WHERE row = ?", (lost.id, body, crc, row))
        self._growing[topic, reason] = (row, sequence, first, last)
