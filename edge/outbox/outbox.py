"""Events on their way out, on disk until the broker has them.

What `put` has committed (SQLite, WAL, synchronous=FULL) is published at least once and leaves the file only on PUBACK, over any
number of crashes of the broker, of this process and of the machine. What could not be kept is announced by a `gap` event:

    the size bound     oldest events go first, alerts never                gap: topic, first..last, reason evicted
    a full disk        events wait in memory, bounded; then the oldest go  gap: topic, first..last, reason not_stored
    given up by hand   `undertone erase`, or older than keep_days          gap: topic, first..last, reason erased
    a damaged event    the others go on                                    gap: topic, its number twice, reason damaged
    a damaged file     set aside, started afresh (so where it is gone)     gap: topic "*", all else null, reason store_damaged
    an older file      its log was deleted or cut; a spoilt counter        gap: topic, first..last, reason uncertain

Each topic counts its events (`sequence`) and no number is used twice, so the numbers alone prove that nothing is missing. After a
damaged file they go on from the Unix time in ms, far above any that was used.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import RLock

from edge.outbox import erasing, recovery
from edge.outbox.counts import Counts
from edge.outbox.gaps import gap, unknown_gap
from edge.outbox.memory_buffer import Arrived, MemoryBuffer
from edge.outbox.mending import mend
from edge.outbox.records import Records
from edge.outbox.rows import Row, Spoilt, machine_uptime
from edge.outbox.sequences import count_up
from edge.outbox.store import Store
from edge.outbox.table import Table
from edge.percentiles import Durations
from edge.wire.codes import GapReason
from edge.wire.context import Customer
from edge.wire.events import Event
from edge.wire.topics import EVERY_TOPIC, GAP

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
        self._held = MemoryBuffer()
        # Row and topic.
        self._in_flight: dict[int, str] = {}
        self._acknowledged: set[int] = set()
        self._tidied_at = time.monotonic()
        self._scrubbed_at, self._traces = float("-inf"), True
        self.committed = Durations()
        self._table = Table(max_bytes=max_bytes, site=site, device=device, uptime=uptime)
        self._lost_store = self._mended = self._closed = False
        self._store = Store(path, self._replaced)
        self._table.measure(self._store)
        # Who knows calls and alerts by what was told of them.
        self.records = Records(self._store, self._held, self._lock)
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
        """End what an earlier process left open: its alerts (`end`, call_over; still answerable), its calls (`failed`, restart)."""
        with self._lock:
            ends = self._store.attempt(lambda: recovery.ends(self._store)) or []
        if ends:
            _log.warning("outbox.recovered ended=%d", len(ends))
        if ends or self._lost_store:
            self.put(ends)

    def pending(self, limit: int, *, without: Collection[str] = ()) -> list[Row]:
        """Up to `limit` events to send next: alerts first, then in order of commit; none on a topic in `without`.

        At most one of a topic, and none of one of which an event is on its way, nor what was put after that: whether the broker takes
        an event must be known before the next of its topic is sent, or what it refuses once would come after its successors.
        """
        with self._lock:
            self._tidy()
            if (self._held or self._lost_store) and time.monotonic() >= self._store.retry_at:
                self._flush()
            while True:
                read = self._store.attempt(lambda: self._read_next(limit, without)) or []
                spoilt = [(one.row, one.topic, one.sequence) for one in read if isinstance(one, Spoilt)]
                if spoilt and self._commit(partial(self._table.give_up, self._store, spoilt, GapReason.DAMAGED)):
                    continue
                return [one for one in read if isinstance(one, Row)]

    def sent(self, row: Row) -> None:
        """`row` is on its way: neither pending nor evictable until one of the next three."""
        with self._lock:
            self._in_flight[row.row] = row.topic
            self._table.on_its_way(row.row)

    def acknowledged(self, row: Row) -> None:
        """The broker has `row` (PUBACK): it leaves the outbox."""
        with self._lock:
            if self._in_flight.pop(row.row, None) is not None and not self._closed:
                self._acknowledged.add(row.row)
                self._tidy()

    def refused(self, row: Row) -> None:
        """The broker did not take `row`: it is pending again."""
        with self._lock:
            self._in_flight.pop(row.row, None)

    def nothing_in_flight(self) -> None:
        """The connection is gone: what was sent and not acknowledged is pending again, in its old order."""
        with self._lock:
            self._in_flight.clear()
            if self._closed:
                return
            # What the broker had and lost as it died must not be sent again by the next start, after what is sent now.
            self._tidy(now=True)

    def erase(self, before: float | None, *, open_too: bool = False) -> int:
        """Give up what was put before `before` (Unix seconds; None: everything), alerts too, and tell it (gap, reason erased).

        `open_too`: also what is known of calls and alerts that have not ended; nobody hears of their end then. Returns how many events.
        """
        with self._lock:
            query = "SELECT row, topic, sequence FROM events WHERE topic != ? AND wall < ? ORDER BY row"
            limit = float("inf") if before is None else before
            # What the broker has is not lost, deleted here or not yet.
            told = self._in_flight.keys() | self._acknowledged
            rows = [found for found in self._store.read(query, GAP, limit) if found[0] not in told]

            if not rows and not open_too:
                return 0

            def work() -> None:
                self._table.give_up(self._store, rows, GapReason.ERASED)
                if open_too:
                    recovery.forget(self._store)
                elif before is not None:
                    recovery.forget(self._store, before)

            done = self._commit(work)
            self._store.scrub()
        return len(rows) if done else 0

    def erase_customer(self, customer: Customer, *, calls: Collection[str] = (), announced: int = 0, by: str | None = None) -> bool | None:
        """Give up what waits of `customer`, forget their calls (`calls` are theirs, too) and alerts, and tell what it was, not whom.

        `announced`: how many calls to come are forgotten elsewhere. Returns whether there was anything; None where the disk is full.
        """
        with self._lock:
            self._flush()
            found = erasing.find(self._store, customer, calls, [one.event for one in self._held])
            aside = self._store.set_aside()
            if not found.calls and not found.rows and not announced and not aside:
                return False
            if not self._commit(lambda: found.forget(self._store, self._table, self._acknowledged, announced=announced, by=by)):
                return None
            self._held.give_up(found.calls)
            for row, *_ in found.rows:
                # An acknowledgement that is still to come is of nothing.
                self._in_flight.pop(row, None)
                self._acknowledged.discard(row)
            for path in aside:
                # Nobody can tell whom they are about.
                path.unlink(missing_ok=True)
            self._store.scrub()
        if self.woken is not None:
            self.woken()
        return True

    def counts(self) -> Counts:
        """What is in here now."""
        with self._lock:
            self._tidy(now=True)
            self._scrub()
            return replace(self._store.counts(), held=len(self._held), evicted=self._table.evicted)

    def close(self) -> None:
        """Write what is still to be written and let go of the file."""
        with self._lock:
            if self._held or self._lost_store:
                self._flush()
            self._tidy(now=True)
            self._store.scrub()
            self._store.close()
            self._closed = True

    # --- writing -----------------------------------------------------------------------------------------------------

    def _read_next(self, limit: int, without: Collection[str]) -> list[Row | Spoilt]:
        rows = self._table.next(self._store, without=without, in_flight=self._in_flight, acknowledged=self._acknowledged)
        return [self._table.read(self._store, row) for row in rows[:limit]]

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

        def whole() -> None:
            # Before anything else is numbered.
            lost = [] if self._mended else mend(self._store)
            for event in lost:
                self._table.announce(self._store, event)
            work()

        done = self._store.commit(whole)
        self._traces = True
        self._mended = self._mended or done
        if not done:
            self._table = before
        return done

    def _replaced(self) -> None:
        """The file was damaged; what is in memory about it goes with it, and the next thing that is written says so."""
        self._lost_store = True
        self._in_flight, self._acknowledged = {}, set()
        self._table.forget()

    def _write_held(self) -> None:
        self._table.delete(self._store, self._acknowledged)
        if self._lost_store:
            self._table.announce(self._store, unknown_gap(EVERY_TOPIC, self._store.boot, GapReason.STORE_DAMAGED))
            self._store.announced()
        for (topic, _), count in sorted(self._held.dropped.items()):
            last = count_up(self._store, topic, count)
            self._table.announce(self._store, gap(topic, last - count + 1, last, GapReason.NOT_STORED))
        for arrived in self._held:
            self._table.insert(self._store, arrived)
            recovery.keep(self._store, arrived.event)
        self._table.make_room(self._store, without=self._in_flight.keys())
