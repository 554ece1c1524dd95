"""What a killed box leaves on the disk: the outbox's files, copied while it has them open."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

from tests.telling import alert, consumer, failed, open_outbox, started, text

DB, LOG, WITNESS = "outbox.sqlite", "outbox.sqlite-wal", "outbox.witness"


def take(outbox, count=10_000):
    taken = []
    while rows := outbox.pending(count - len(taken)):
        for row in rows:
            outbox.sent(row)
            outbox.acknowledged(row)
        taken += [(row.topic, json.loads(row.body)) for row in rows]
    return taken


class Image:
    """What a box that was killed left, and what the world has seen of it by then."""

    def __init__(self, folder: Path, *, sent: int = 25, waiting: int = 20) -> None:
        self.folder = folder / "killed"
        home = folder / "running"
        outbox = open_outbox(home)
        outbox.put([started("c0"), started("c1"), alert(call="c1"), failed("c0")])
        outbox.put([text(n) for n in range(1, sent + 1)])
        self.seen = take(outbox)
        outbox.counts()
        # What is committed here is in the file itself; what comes after, in its log.
        outbox._store.scrub()
        outbox.put([text(n) for n in range(100, 100 + waiting)])
        outbox.put([alert(1, "update", call="c1"), started("c2", "line-2")])
        self.seen += take(outbox, 5)
        outbox.put([text(200, line="line-3")])
        outbox.counts()
        self.given = dict(outbox.counts().sequences)
        shutil.copytree(home, self.folder)
        outbox.close()

    def reopen(self):
        """A start on what is left, and all that it then tells, with a new event on each topic of text."""
        outbox = open_outbox(self.folder)
        outbox.recover()
        outbox.put([text(900), text(901, line="line-3"), alert(5, call="c9"), started("c9")])
        told = []
        while more := take(outbox):
            told += more
        outbox.close()
        return told

    def prove(self, told) -> dict[str, dict]:
        """That no number has two ids and that none is missing without a word; the gaps, by topic."""
        ids, prove = defaultdict(set), consumer()(since=0)
        for topic, event in [*self.seen, *told]:
            ids[topic, event["sequence"]].add(event["id"])
            prove.take(f"p/{topic}", event)
        assert [key for key, names in ids.items() if len(names) > 1] == []
        assert prove.missing() == {}
        gaps = {event["data"]["topic"]: event["data"] for topic, event in told if topic == "gap"}
        come = {(topic, event["sequence"]) for topic, event in [*self.seen, *told]}
        for topic, last in self.given.items() if "*" not in gaps else ():
            announced = range(gaps[topic]["first"], gaps[topic]["last"] + 1) if topic in gaps else ()
            assert [n for n in range(1, last + 1) if (topic, n) not in come and n not in announced] == []
        return gaps


def ended(told) -> set[str]:
    return {event["data"]["call"] for topic, event in told if topic.endswith("/failed")}
