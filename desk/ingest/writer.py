"""Messages of the bus into the database: a group in one transaction, so that an acknowledgement means stored."""

import json
import logging
import traceback
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desk.ingest.alerts import LISTED, Policy
from desk.ingest.arrival import STATUS, Arrival, Unfit, moment, read, text, whole
from desk.ingest.project import Change, Stored, project
from desk.ingest.spans import Spans
from desk.store.seam import Database, Row, Transaction
from edge.clock import now
from edge.errors import StoreError, one_line
from edge.wire.topics import EVERY_TOPIC

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message as it came: `topic` with its prefix."""

    topic: str
    payload: bytes


class Writer:
    """Stores groups of messages. Used by one thread. `counts` is read by others (metrics)."""

    def __init__(self, database: Database, *, prefix: str, policy: Policy) -> None:
        self._database, self._prefix, self._policy = database, prefix, policy
        self._spans = Spans()
        self.counts = {"stored": 0, "duplicate": 0, "refused": 0, "status": 0}

    def store(self, group: Sequence[Told]) -> None:
        """Store `group`, durably; raises StoreError where the database cannot. A message that breaks a projection is set aside."""
        try:
            self._store(group)
        except StoreError:
            self._spans.reset()
            raise
        except Exception as error:  # noqa: BLE001 (told, with its place)
            # Nothing that a box sends may stop the others' events: find the one, keep it, say so.
            self._spans.reset()
            if len(group) > 1:
                for one in group:
                    self.store([one])
                return
            # Neither message nor traceback: a database's quotes the values of its row, which are a customer's.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error("event=not_projected topic=%s error=%s at=%s:%s", one_line(group[0].topic[:200]), type(error).__name__,
                       Path(place.filename).name, place.lineno)  # fmt: skip
            with self._database.write() as tx:
                _refuse(tx, group[0], "a defect of the desk: it could not be taken in; see the log")
            self.counts["refused"] += 1

    def _store(self, group: Sequence[Told]) -> None:
        # Read before the transaction: other processes write meanwhile.
        events, unfit = self._read(group)
        received_at = now()
        kept = [event for event in events if event.topic not in STATUS]
        with self._database.write() as tx:
            for message, reason in unfit:
                _refuse(tx, message, reason)
            # A box's list of open alerts after the alerts themselves, which have the evidence, too.
            added = {(row["source"], row["id"]) for row in tx.insert("event_add", [_row(event, received_at) for event in kept])}
            changes = self._project(tx, kept, added, received_at)
            for event in events:
                if event.topic in STATUS:
                    changes.update(self._status(tx, event, received_at))
            tx.insert("change_add", [{"at": received_at, "kind": kind, "key": key} for kind, key in sorted(changes)])
        counts = {"stored": len(added), "duplicate": len(kept) - len(added), "refused": len(unfit), "status": len(events) - len(kept)}
        for key, more in counts.items():
            self.counts[key] += more

    def _read(self, group: Sequence[Told]) -> tuple[list[Arrival], list[tuple[Told, str]]]:
        """The events of `group`, and what is none with the reason."""
        events: list[Arrival] = []
        unfit: list[tuple[Told, str]] = []
        for message in group:
            # A retained message that was cleared.
            if not message.payload:
                continue
            try:
                events.append(read(self._prefix, message.topic, message.payload))
            except Unfit as error:
                _log.warning("event=refused topic=%s reason=%s", one_line(message.topic[:200]), error)
                unfit.append((message, str(error)))
        return events, unfit

    def _project(self, tx: Transaction, events: Sequence[Arrival], added: AbstractSet[tuple[str, str]], received_at: str) -> set[Change]:
        """Bring the projections up to `events`, of which those `added` are new."""
        left, new, changes = set(added), [], set[Change]()
        self._spans.read(tx, {event.source for event in events if event.sequence is not None})
        for event in events:
            if event.sequence is not None:
                self._spans.count(event.source, event.topic, event.sequence)
            if (event.source, event.id) not in left:
                continue
            # Of two in one group the first is the new one.
            left.remove((event.source, event.id))
            new.append(Stored(event=event, received_at=received_at))
            if event.type == "undertone.device.gap.v1":
                changes.add(("box", event.source))
                if event.data.get("topic") == EVERY_TOPIC:
                    self._spans.begin_anew(tx, event.source)
        self._spans.write(tx)
        return changes | project(tx, new, self._policy.shared, self._policy)

    def _status(self, tx: Transaction, event: Arrival, received_at: str) -> Iterable[Change]:
        """The latest counts, as it arrives; only an old will must not mask a newer start."""
        before = tx.one("status_get", source=event.source, topic=event.topic)
        if before is not None and event.topic == "state" and _boot(event.body) < _boot(before["body"]):
            return
        tx.run("status_set", source=event.source, topic=event.topic, time=event.time, received_at=received_at, body=event.body)
        yield "box", event.source
        if event.topic == "state" and _is_back(event.body, None if before is None else before["body"]):
            # A box that is back is told again what it has not answered; ids make that harmless.
            tx.run("command_again", source=event.source)
        given = event.data.get("alerts") if event.topic == LISTED else None
        for data in given if isinstance(given, list) else []:
            if isinstance(data, dict) and (alert := text(data, "alert")) and (revision := whole(data, "revision")):
                snapshot = Arrival(
                    # Not the alert's own id: that event has the evidence, too, and may still come.
                    id=f"alerts:{alert}:{revision}", source=event.source, site=event.site, device=event.device, type="undertone.alert.v1",
                    topic=LISTED, time=moment(data.get("updated_at")) or event.time, sequence=None,
                    data=data, body=_body(data),
                )  # fmt: skip
                known = tx.one("case_of_call", call=snapshot.call)
                if (known is None or known["alert_revision"] < revision) and tx.one("event_add", **_row(snapshot, received_at)):
                    yield from project(tx, [Stored(event=snapshot, received_at=received_at)], self._policy.shared, self._policy)


def _row(event: Arrival, received_at: str) -> Row:
    return {
        "source": event.source, "id": event.id, "type": event.type, "topic": event.topic, "call": event.call, "time": event.time,
        "received_at": received_at, "sequence": event.sequence, "body": event.body,
    }  # fmt: skip


def _refuse(tx: Transaction, message: Told, reason: str) -> None:
    tx.run(
        "refused_add",
        at=now(),
        topic=one_line(message.topic.replace("\x00", ""))[:200],
        reason=one_line(reason)[:300],
        bytes=len(message.payload),
    )
    tx.run("refused_prune")


def _body(data: dict[str, Any]) -> str:
    return json.dumps({"data": data}, ensure_ascii=False)


def _boot(body: str) -> int:
    return whole(json.loads(body)["data"], "boot") or 0


def _is_back(body: str, before: str | None) -> bool:
    """Whether a state tells of a box that was away, or has started anew."""
    last = {} if before is None else json.loads(before)["data"]
    away = last.get("state") in {None, "lost", "stopped"} or _boot(body) > (whole(last, "boot") or 0)
    return away and json.loads(body)["data"].get("state") in {"online", "degraded"}
