"""The switchboard's messages and the boxes' calls brought together, whichever comes first."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from desk.cases.refusals import Malformed
from desk.ingest.arrival import Arrival
from desk.ingest.calls import MATCH, set_calls
from desk.store.seam import Row, Transaction
from desk.switchboard.calls import Match, Told, context, match, match_body, window
from edge.clock import rfc3339, uuid7
from edge.config import trunk_of
from edge.wire.topics import COMMAND_PREFIX

CTI = "undertone.desk.cti.v1"
# A box tells of a call within seconds; one that was away tells later, and then the number and the window decide.
_LOOK_BACK_S = 180


def take_told(tx: Transaction, told: Told, source: str, body: str, at: str, shared: tuple[str, ...]) -> Match | None:
    """Store what the switchboard told and match it; None where it was told before, or says no more than that a call is over."""
    new = tx.one(
        "event_add", source=source, id=f"cti:{told.call_id}:{told.event}:{told.user or ''}", type=CTI, topic="cti", call=None, time=at,
        received_at=at, sequence=None, body=body,
    )  # fmt: skip
    if not new or told.event == "hangup":
        return None
    since, until = window(told.at)
    found = match(told, tx.all("calls_around", since=since, until=until))
    _keep(tx, told, found, source, at, shared)
    return found


def match_started(tx: Transaction, event: Arrival, received_at: str, shared: tuple[str, ...]) -> None:
    """A call began: look whether the switchboard has told of it already."""
    began = datetime.fromisoformat(received_at)
    row = tx.one("call_get", call=event.call)
    if row is None:
        return
    for told_row in tx.all("cti_since", since=rfc3339(began - timedelta(seconds=_LOOK_BACK_S))):
        try:
            told = Told.read(json.loads(told_row["body"])["data"], datetime.fromisoformat(told_row["time"]))
        except Malformed:
            continue
        if told.event == "hangup" or tx.one("match_of", prefix=f"match:{told.call_id}:%") is not None:
            continue
        since, until = window(told.at)
        found = match(told, tx.all("calls_around", since=since, until=until))
        _keep(tx, told, found, told_row["source"], received_at, shared)


def _keep(tx: Transaction, told: Told, found: Match, source: str, at: str, shared: Sequence[str]) -> None:
    """One candidate: keep the match as an event of ours, and tell the box. None, or two: nothing is guessed."""
    if len(found.calls) != 1:
        return
    row: Row = found.calls[0]
    new = tx.one(
        "event_add", source=source, id=f"match:{told.call_id}:{told.event}:{row['call']}", type=MATCH, topic="match", call=row["call"],
        time=at, received_at=at, sequence=None, body=match_body(told, row["call"], found.method),
    )  # fmt: skip
    if not new:
        return
    set_calls(tx, [row["call"]], shared)
    tx.run("change_add", at=at, kind="call", key=row["call"])
    command = uuid7()
    body = json.dumps(context(told) | {"call": row["call"], "id": command})
    topic = f"{COMMAND_PREFIX}/{row['site']}/{row['device']}/call/{trunk_of(row['line'])}/context"
    tx.run("command_add", id=command, case_id=None, source=row["source"], topic=topic, body=body, created_at=at, until=None)
