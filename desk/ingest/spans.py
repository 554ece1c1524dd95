"""Which sequences of each box's topics have come, kept up with what is stored: read once a box, written where a group has changed it."""

from collections.abc import Collection

from desk.ingest import completeness
from desk.store.seam import Row, Transaction

_Topic = tuple[str, str]


class Spans:
    """Of one thread, and of the one process that takes these boxes in. A group that was not stored is followed by `reset`."""

    def __init__(self) -> None:
        self._stored: dict[_Topic, list[completeness.Span]] = {}
        self._now: dict[_Topic, list[completeness.Span]] = {}
        self._sources: set[str] = set()

    def reset(self) -> None:
        """Read everything anew."""
        for kept in (self._stored, self._now, self._sources):
            kept.clear()

    def read(self, tx: Transaction, sources: Collection[str]) -> None:
        """Before anything of `sources` is counted."""
        new = sorted(set(sources) - self._sources)
        if not new:
            return
        for row in tx.all("spans_of", sources=new):
            self._stored.setdefault((row["source"], row["topic"]), []).append((row["first"], row["last"]))
        self._sources.update(new)

    def count(self, source: str, topic: str, sequence: int) -> None:
        """It has come."""
        key = (source, topic)
        self._now[key] = completeness.add(self._now.get(key) or self._stored.get(key, []), sequence)

    def begin_anew(self, tx: Transaction, source: str) -> None:
        """The box has lost its store: its sequences begin at 1 again."""
        tx.run("spans_forget", source=source)
        for kept in (self._stored, self._now):
            for key in [key for key in kept if key[0] == source]:
                del kept[key]

    def write(self, tx: Transaction) -> None:
        """What has changed since the last time."""
        made: list[Row] = []
        gone: list[Row] = []
        for (source, topic), spans in self._now.items():
            before = dict(self._stored.get((source, topic), ()))
            gone += [{"source": source, "topic": topic, "first": first} for first in before.keys() - {first for first, _ in spans}]
            made += [{"source": source, "topic": topic, "first": first, "last": last} for first, last in spans if before.get(first) != last]
        if gone:
            tx.many("span_drop", gone)
        tx.insert("span_set", made)
        self._stored.update(self._now)
        self._now.clear()
