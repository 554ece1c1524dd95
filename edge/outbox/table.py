"""The table of events: rows in and out, how many bytes they take, and the gaps that tell which of them were given up.

Everything that writes is done inside a commit of the store that it is given.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Self

from edge.outbox.gaps import gap
from edge.outbox.memory_buffer import Arrived
from edge.outbox.rows import ALERTS, COLUMNS, REST, Row, Spoilt, checksum, label_checksum, ranges, read_row
from edge.outbox.sequences import count_up
from edge.outbox.store import Store
from edge.wire.cloudevents import envelope, lifetime_s
from edge.wire.codes import GapReason
from edge.wire.events import Event
from edge.wire.topics import GAP

_log = logging.getLogger("undertone.outbox")

# So many waiting events are looked at for what may be sent now: more than there are topics, and cheap at every PUBACK.
_LOOK_AHEAD = 200
# Of the size bound, this share is never filled by anything but alerts.
_KEPT_FOR_ALERTS = 0.2
# What a row costs beside its body: id, topic, numbers and two indices (measured: 180 to 260 bytes).
_ROW_BYTES = 260
# Evicting down to this share of the bound makes one gap of many events instead of a gap an event.
_EVICT_TO = 0.9


class Table:
    """The events of one box, as far as this process knows them. A `copy` undoes what a commit that failed has changed here."""

    def __init__(self, *, max_bytes: int, site: str, device: str, uptime: Callable[[], float]) -> None:
        self.evicted = 0
        self._max_bytes, self._site, self._device, self._uptime = max_bytes, site, device, uptime
        # By lane; what damage made of a lane's number is a lane too.
        self._bytes: Counter[object] = Counter()
        # Gaps told by this process and not sent yet: they can still grow. topic, reason -> row, sequence, first, last.
        self._growing: dict[tuple[str, GapReason], tuple[int, int, int, int]] = {}

    def copy(self) -> Self:
        """As it is now."""
        twin = type(self)(max_bytes=self._max_bytes, site=self._site, device=self._device, uptime=self._uptime)
        twin.evicted, twin._bytes, twin._growing = self.evicted, self._bytes.copy(), self._growing.copy()  # noqa: SLF001 (a twin)
        return twin

    @property
    def empty(self) -> bool:
        """Whether no event is left."""
        return not any(self._bytes.values())

    def measure(self, store: Store) -> None:
        """Count what is in the file."""
        self._bytes = Counter(dict(store.read("SELECT lane, SUM(COALESCE(length(body), 0) + ?) FROM events GROUP BY lane", _ROW_BYTES)))

    def forget(self) -> None:
        """The file has gone, and an empty one is in its place."""
        self._bytes.clear()
        self._growing.clear()

    def on_its_way(self, row: int) -> None:
        """A gap that has been sent no longer grows."""
        self._growing = {what: told for what, told in self._growing.items() if told[0] != row}

    def insert(self, store: Store, arrived: Arrived) -> int | None:
        """The new row's number; None where its id is there already."""
        event, lane = arrived.event, ALERTS if arrived.event.alert_lane else REST
        if store.execute("SELECT 1 FROM events WHERE id = ?", (event.id,)).fetchone():
            return None
        sequence = count_up(store, event.topic, 1)
        body = envelope(event, site=self._site, device=self._device, sequence=sequence)
        label = label_checksum(event.id, event.topic, sequence)
        columns = (event.id, event.topic, lane, sequence, store.boot, arrived.uptime, arrived.wall, lifetime_s(event), body)
        cursor = store.execute(
            "INSERT INTO events (id, topic, lane, sequence, boot, uptime, wall, lifetime, body, label_crc, crc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*columns, label, checksum(body, label)),
        )
        self._bytes[lane] += len(body) + _ROW_BYTES
        return cursor.lastrowid

    def delete(self, store: Store, rows: Iterable[int]) -> None:
        """Rows that are no longer needed."""
        returning = "DELETE FROM events WHERE row = ? RETURNING lane, COALESCE(length(body), 0)"
        for row in rows:
            for lane, length in store.execute(returning, (row,)).fetchall():
                self._bytes[lane] -= length + _ROW_BYTES

    def next(self, store: Store, *, without: Collection[str], in_flight: Mapping[int, str], acknowledged: Collection[int]) -> list[int]:
        """The rows that may be sent now, first things first: none on a topic in `without` or of which one is `in_flight` (row -> topic).

        What has to wait holds back what comes after it: an alert all that is none.
        """
        marks = ",".join("?" * len(without))
        query = f"SELECT row, topic FROM events WHERE topic NOT IN ({marks}) ORDER BY lane, row LIMIT ?"  # noqa: S608 (only question marks)
        busy, found = set(in_flight.values()), []
        for row, topic in store.execute(query, (*without, _LOOK_AHEAD + len(acknowledged))):
            if row in in_flight or row in acknowledged:
                continue
            if topic in busy:
                break
            busy.add(topic)
            found.append(row)
        return found

    def read(self, store: Store, row: int) -> Row | Spoilt:
        """The event in `row`, as it is now. Raises DamageError where nobody could say what is missing."""
        columns = store.execute(f"SELECT {COLUMNS} FROM events WHERE row = ?", (row,)).fetchone()  # noqa: S608 (names of ours)
        return read_row(columns, uptime=self._uptime(), boot=store.boot)

    def make_room(self, store: Store, *, without: Collection[int]) -> None:
        """Keep to the size bound: the oldest events go, alerts and the rows in `without` never."""
        bound = min(self._max_bytes * (1 - _KEPT_FOR_ALERTS), self._max_bytes - self._bytes[ALERTS])
        if self._bytes[REST] <= bound:
            return
        excess = self._bytes[REST] - max(bound, 0) * _EVICT_TO
        evicted: list[tuple[int, str, int]] = []
        query = "SELECT row, topic, sequence, COALESCE(length(body), 0) FROM events WHERE lane = ? AND topic != ? ORDER BY row"
        for row, topic, sequence, length in store.execute(query, (REST, GAP)):
            if excess <= 0:
                break
            if row not in without:
                evicted.append((row, topic, sequence))
                excess -= length + _ROW_BYTES
        self.evicted += len(evicted)
        self.give_up(store, evicted, GapReason.EVICTED)

    def give_up(self, store: Store, rows: Sequence[tuple[int, str, int]], reason: GapReason) -> None:
        """Delete events (row, topic, sequence), in order, and tell which."""
        self.delete(store, (row for row, _, _ in rows))
        for topic, first, last in ranges(rows):
            self._announce(store, topic, first, last, reason)
        _log.warning("outbox.%s events=%d", reason, len(rows))

    def announce(self, store: Store, lost: Event) -> None:
        """Tell a gap of its own."""
        self.insert(store, self._own(lost))

    def _announce(self, store: Store, topic: str, first: int, last: int, reason: GapReason) -> None:
        """Tell a gap, or let the topic's gap that nobody has seen yet grow: a long outage tells one gap a topic."""
        growing = self._growing.get((topic, reason))
        if growing is None or growing[3] != first - 1:
            row = self.insert(store, self._own(gap(topic, first, last, reason)))
            if row is not None:
                sequence = store.execute("SELECT sequence FROM events WHERE row = ?", (row,)).fetchone()[0]
                self._growing[topic, reason] = (row, sequence, first, last)
            return
        row, sequence, first, _ = growing
        lost = gap(topic, first, last, reason)
        body = envelope(lost, site=self._site, device=self._device, sequence=sequence)
        self._bytes[REST] += len(body) - store.execute("SELECT length(body) FROM events WHERE row = ?", (row,)).fetchone()[0]
        label = label_checksum(lost.id, lost.topic, sequence)
        update = "UPDATE events SET id = ?, body = ?, label_crc = ?, crc = ? WHERE row = ?"
        store.execute(update, (lost.id, body, label, checksum(body, label), row))
        self._growing[topic, reason] = (row, sequence, first, last)

    def _own(self, event: Event) -> Arrived:
        return Arrived(event=event, uptime=self._uptime(), wall=time.time())
