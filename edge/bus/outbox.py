"""Events on their way out, on disk until the broker has them.

What `put` has committed (SQLite, WAL, synchronous=FULL) is published at least once and leaves the file only on PUBACK, over any
number of crashes of the broker, of this process and of the machine. What could not be kept is announced by a `gap` event:

    the size bound     oldest events go first, alerts never                gap: topic, first..last, reason evicted
    a full disk        events wait in memory, bounded; then the oldest go  gap: topic, first..last, reason not_stored
    given up by hand   `undertone erase`, or older than keep_days          gap: topic, first..last, reason erased
    a damaged event    the others go on                                    gap: topic, its number twice, reason damaged
    a damaged file     set aside, started afresh                           gap: topic "*", all else null, reason store_damaged

Each topic counts its events (`sequence`) and no number is used twice, so the numbers alone prove that nothing is missing. After a
damaged file they go on from the Unix time in ms, far above any that was used.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock

from edge.bus import endings
from edge.bus.events import Event
from edge.bus.held import Arrived, Held
from edge.bus.rows import COLUMNS, Row, Spoilt, count_up, machine_uptime, read_row
from edge.bus.spread import Spread
from edge.bus.store import Counts, Store
from edge.bus.table import Table
from edge.bus.topics import EVERY_TOPIC, GAP

_log = logging.getLogger("undertone.outbox")

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
        self._uptime = uptime
        self._lock = RLock()
        self._held = Held()
        self._in_flight: set[int] = set()
        self._acknowledged: set[int] = set()
        self._tidied_at = time.monotonic()
        self._scrubbed_at, self._traces = float("-inf"), True
        self.committed = Spread()
        self._table = Table(max_bytes=max_bytes, site=site, device=device, uptime=uptime)
        self._lost_store = False
        self._store = Store(path, self._replaced)
        self._table.measure(self._store)
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
            marks = ",".join("?" * len(without))
            query = f"SELECT {COLUMNS} FROM events WHERE topic NOT IN ({marks}) ORDER BY lane, row LIMIT ?"  # noqa: S608 (only question marks)
            values = (*without, limit + len(aside))
            uptime = self._uptime()

            def work() -> list[Row | Spoilt]:
                found = (columns for columns in self._store.execute(query, values) if columns[0] not in aside)
                return [read_row(columns, uptime=uptime, boot=self._store.boot) for columns in found]

            read = self._store.attempt(work) or []
            if spoilt := [(one.row, one.topic, one.sequence) for one in read if isinstance(one, Spoilt)]:
                self._commit(lambda: self._table.give_up(self._store, spoilt, "damaged"))
            return [one for one in read if isinstance(one, Row)][:limit]

    def sent(self, row: Row) -> None:
        """`row` is on its way: neither pending nor evictable until one of the next three."""
        with self._lock:
            self._in_flight.add(row.row)
            self._table.on_its_way(row.row)

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
            # What the broker has is not lost, deleted here or not yet.
            told = self._in_flight | self._acknowledged
            rows = [found for found in self._store.read(query, GAP, limit) if found[0] not in told]

            if not rows and not open_too:
                return 0

            def work() -> None:
                self._table.give_up(self._store, rows, "erased")
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
            return replace(self._store.counts(), held=len(self._held), evicted=self._table.evicted, commits=self._store.commits)

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
        if self._acknowledged and (now or due) and self._commit(lambda: self._table.delete(self._store, self._acknowledged)):
            self._forget_acknowledged()

    def _scrub(self) -> None:
        if self._traces and self._table.empty and time.monotonic() - self._scrubbed_at > _SCRUB_S:
            self._store.scrub()
            self._scrubbed_at, self._traces = time.monotonic(), False

    def _forget_acknowledged(self) -> None:
        self._acknowledged.clear()
        self._tidied_at = time.monotonic()

    def _commit(self, work: Callable[[], None]) -> bool:
        before = self._table.copy()
        done = self._store.commit(work)
        self._traces = True
        if not done:
            self._table = before
        return done

    def _replaced(self) -> None:
        """The file was damaged; what is in memory about it goes with it, and the next thing that is written says so."""
        self._lost_store = True
        self._in_flight, self._acknowledged = set(), set()
        self._table.forget()

    def _write_held(self) -> None:
        self._table.delete(self._store, self._acknowledged)
        if self._lost_store:
            self._table.announce(self._store, endings.unknown_gap(EVERY_TOPIC, self._store.boot, "store_damaged"))
        for (topic, _), count in sorted(self._held.dropped.items()):
            last = count_up(self._store, topic, count)
            self._table.announce(self._store, endings.gap(topic, last - count + 1, last, "not_stored"))
        for arrived in self._held:
            self._table.insert(self._store, arrived)
            endings.keep_open(self._store, arrived.event)
        self._table.make_room(self._store, without=self._in_flight)
