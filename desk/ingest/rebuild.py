"""Every projection made anew from the event log and the actions, in one transaction."""

import json

from desk.cases.vocabulary import Kind
from desk.cases.work import Action, Work, apply
from desk.ingest import completeness
from desk.ingest.project import Stored, arrival_of, project
from desk.store.seam import Database, Transaction
from edge.wire.topics import EVERY_TOPIC

_CHUNK = 1000


def rebuild(database: Database, shared: tuple[str, ...]) -> tuple[int, int]:
    """Do it; returns how many events and actions were read. Others wait meanwhile, and see all or nothing."""
    with database.write() as tx:
        # Spans stay: events that were forgotten once came, and nobody should miss them now.
        for table in ("calls", "utterances", "cases"):
            tx.run(f"clear_{table}")
        events = _events(tx, shared)
        return events, _actions(tx)


def _events(tx: Transaction, shared: tuple[str, ...]) -> int:
    seq = done = 0
    spans: dict[tuple[str, str], list[completeness.Span]] = {}
    while rows := tx.all("events_from", seq=seq, most=_CHUNK):
        for row in rows:
            event = arrival_of(row)
            if event.sequence is not None:
                key = (event.source, event.topic)
                spans[key] = completeness.add(spans.get(key, []), event.sequence)
            if event.type == "undertone.device.gap.v1" and event.data.get("topic") == EVERY_TOPIC:
                spans = {key: found for key, found in spans.items() if key[0] != event.source}
        project(tx, [Stored(event=arrival_of(row), received_at=str(row["received_at"])) for row in rows], shared, None)
        seq, done = rows[-1]["seq"], done + len(rows)
    for (source, topic), found in spans.items():
        there = [(row["first"], row["last"]) for row in tx.all("spans_of", sources=[source]) if row["topic"] == topic]
        for first, last in found:
            if not any(low <= first and last <= high for low, high in there):
                tx.run("span_set", source=source, topic=topic, first=first, last=last)
    return done


def _actions(tx: Transaction) -> int:
    """Fold each case's actions over its blank work."""
    works: dict[int, Work] = {}
    seq = done = 0
    while rows := tx.all("actions_from", seq=seq, most=_CHUNK):
        for row in rows:
            action = Action(kind=Kind(row["kind"]), at=row["at"], actor=row["actor"], data=json.loads(row["data"]))
            works[row["case_id"]] = apply(works.get(row["case_id"], Work()), action)
        seq, done = rows[-1]["seq"], done + len(rows)
    for case, work in works.items():
        tx.run("case_work", id=case, seen=0, **work.columns)
    return done
