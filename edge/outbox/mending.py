"""What a start puts right where the file is not as its witness saw it: counters, open calls, alerts."""

import logging
import time
from dataclasses import dataclass

import msgspec

from edge.outbox.gaps import gap
from edge.outbox.sequences import set_to, whole
from edge.outbox.store import Store
from edge.wire.codes import AlertEnd, GapReason
from edge.wire.events import Alert, Event

_log = logging.getLogger("undertone.outbox")

# Of each topic, more numbers than a box gives out in the half minute that a power cut may cost the witness (commands: 20 a second).
_POWER_CUT = 10_000
# An alert whose latest snapshots are lost goes on from here, above every revision that a team can have brought about meanwhile.
_REVISIONS = 1_000


def mend(store: Store) -> list[Event]:
    """Bring counters, open calls and alerts to where the witness says that they were; inside a commit. What is to be announced.

    Numbers that were given out, or may have been, and of which the file knows nothing more, are skipped and announced.
    """
    counters = {topic: (last, crc) for topic, last, crc in store.execute("SELECT topic, last, crc FROM sequences")}
    before = store.before
    marks = before.sequences if before else {}
    found = [_Counter.of(store, topic, *counters.get(topic, (None, None)), mark=marks.get(topic)) for topic in {*counters, *marks}]
    inexact = before is not None and not before.exact
    log_gone = store.log_gone and inexact
    behind = log_gone or any(one.behind for one in found)
    gaps = []
    for one in sorted(found, key=lambda one: one.topic):
        if one.unknown:
            store.execute("DELETE FROM sequences WHERE topic = ?", (one.topic,))
            continue
        first, last = one.doubted(behind=behind, inexact=inexact, log_gone=log_gone)
        if one.spoilt or last >= first:
            set_to(store, one.topic, max(last, first - 1))
        if last >= first:
            gaps.append(gap(one.topic, first, last, GapReason.UNCERTAIN))
    if gaps or behind:
        _log.error("outbox.behind_its_witness topics=%d", len(gaps))
    if behind:
        _raise_revisions(store)
    for call, (line, at) in (before.calls if before else {}).items():
        store.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, NULL, 0, NULL, NULL)", (call, line, at))
    return gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counter:
    """A topic's counter as the file has it (`last`; None: not at all, or spoilt), and what else speaks of it.

    `mark`: the witness's; None where it has none. `stored`: the highest number among the events that wait; `base` where there are none.
    """

    topic: str
    last: int | None
    spoilt: bool
    mark: int | None
    stored: int
    base: int

    @classmethod
    def of(cls, store: Store, topic: str, last: int | None, crc: int | None, *, mark: int | None) -> "_Counter":
        spoilt = last is not None and not whole(topic, last, crc)
        query = "SELECT MAX(sequence) FROM events WHERE topic = ? AND typeof(sequence) = 'integer'"
        stored = store.execute(query, (topic,)).fetchone()[0]
        base = store.base
        return cls(topic=topic, last=None if spoilt else last, spoilt=spoilt, mark=mark, stored=stored or base, base=base)

    @property
    def behind(self) -> bool:
        """Whether the file has not come as far as the witness saw it come."""
        return not self.spoilt and self.mark is not None and (self.last or self.base) < self.mark

    @property
    def unknown(self) -> bool:
        """Whether damage has made up the topic itself."""
        return self.spoilt and self.mark is None and self.stored == self.base

    def doubted(self, *, behind: bool, inexact: bool, log_gone: bool) -> tuple[int, int]:
        """First and last number to skip; nothing where the last is below the first.

        `behind`: the file as a whole is older than it was; `inexact`: it may have come further than the witness saw.
        """
        if self.last is not None or not self.spoilt:
            known = self.last or self.base
            reached = max(known, self.mark or 0)
            if reached == known and not log_gone:
                return known + 1, known
            return known + 1, reached + (_POWER_CUT if inexact else 0)
        if self.mark is None:
            # Nobody knows how far it had come: as with a file that is lost as a whole.
            return self.stored + 1, max(self.stored + 1, int(time.time() * 1000))
        reached = max(self.mark, self.stored)
        return (self.stored if behind else reached) + 1, reached + (_POWER_CUT if inexact else 0)


def _raise_revisions(store: Store) -> None:
    """Revisions, and with them event ids, that were told and are forgotten must not be told again of something else."""
    for row, snapshot in store.execute("SELECT rowid, snapshot FROM alerts").fetchall():
        try:
            alert = msgspec.json.decode(snapshot, type=Alert)
        except (msgspec.MsgspecError, TypeError):
            # Whoever reads it next says so.
            continue
        if alert.end_reason not in (AlertEnd.CLOSED, AlertEnd.WITHDRAWN):
            raised = msgspec.structs.replace(alert, revision=alert.revision + _REVISIONS)
            store.execute("UPDATE alerts SET snapshot = ? WHERE rowid = ?", (msgspec.json.encode(raised), row))
