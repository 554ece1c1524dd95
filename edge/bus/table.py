"""The table of events: rows in and out, how many bytes they take, and the gaps that tell which of them were given up.

Everything that writes is done inside a commit of the store that it is given.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Self

from edge.bus import endings
from edge.bus.envelope import envelope, lifetime_s
from edge.bus.events import Event
from edge.bus.held import Arrived
from edge.bus.rows import ALERTS, REST, checksum, count_up, label_checksum, ranges
from edge.bus.store import Store
from edge.bus.topics import GAP

_log = logging.getLogger("undertone.outbox")

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
        self._growing: dict[tuple[str, str], tuple[int, int, int, int]] = {}

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
        self.give_up(store, evicted, "evicted")

    def give_up(self, store: Store, rows: Sequence[tuple[int, str, int]], reason: str) -> None:
        """Delete events (row, topic, sequence), in order, and tell which."""
        self.delete(store, (row for row, _, _ in rows))
        for topic, first, last in ranges(rows):
            self._announce(store, topic, first, last, reason)
        _log.warning("outbox.%s events=%d", reason, len(rows))

    def announce(self, store: Store, lost: Event) -> None:
        """Tell a gap of its own."""
        self.insert(store, self._own(lost))

    def _announce(self, store: Store, topic: str, first: int, last: int, reason: str) -> None:
        """Tell a gap, or let the topic's gap that nobody has seen yet grow: a long outage tells one gap a topic."""
        growing = self._growing.get((topic, reason))
        if growing is None or growing[3] != first - 1:
            row = self.insert(store, self._own(endings.gap(topic, first, last, reason)))
            if row is not None:
                sequence = store.execute("SELECT sequence FROM events WHERE row = ?", (row,)).fetchone()[0]
                self._growing[topic, reason] = (row, sequence, first, last)
            return
        row, sequence, first, _ = growing
        lost = endings.gap(topic, first, last, reason)
        body = envelope(lost, site=self._site, device=self._device, sequence=sequence)
        self._bytes[REST] += len(body) - store.execute("SELECT length(body) FROM events WHERE row = ?", (row,)).fetchone()[0]
        label = label_checksum(lost.id, lost.topic, sequence)
        update = "UPDATE events SET id = ?, body = ?, label_crc = ?, crc = ? WHERE row = ?"
        store.execute(update, (lost.id, body, label, checksum(body, label), row))
        self._growing[topic, reason] = (row, sequence, first, last)

    def _own(self, event: Event) -> Arrived:
        return Arrived(event=event, uptime=self._uptime(), wall=time.time())
