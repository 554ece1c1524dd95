"""Events into the projections. Live and rebuild go the same way; only the opening of new cases is live's alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from desk.ingest.alerts import Policy, link, take_alert
from desk.ingest.arrival import Arrival, text
from desk.ingest.calls import MATCH, UTTERANCE, set_calls, utterance_row
from desk.ingest.erase import take_erased
from desk.ingest.pbx import match_started
from desk.store.seam import Row, Transaction
from edge.clock import now

Change = tuple[str, str]
STARTED, ALERT, REPLY = "undertone.call.started.v1", "undertone.alert.v1", "undertone.reply.v1"
ERASED = "undertone.device.erased.v1"
# What tells of a call as a whole.
_FOLDED = frozenset({STARTED, "undertone.call.updated.v1", "undertone.call.summary.v1", "undertone.call.failed.v1", MATCH, ALERT})


def arrival_of(row: Row) -> Arrival:
    """The event of a stored row."""
    parts = row["source"].split("/", 3)
    site, device = (parts[2], parts[3]) if len(parts) == 4 else ("", "")  # noqa: PLR2004 ("", "undertone", site, device)
    return Arrival(
        id=row["id"], source=row["source"], site=site, device=device, type=row["type"], topic=row["topic"], time=row["time"],
        sequence=row["sequence"], data=json.loads(row["body"])["data"], body=row["body"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An event that is in the database, and since when."""

    event: Arrival
    received_at: str


def project(tx: Transaction, group: Sequence[Stored], shared: tuple[str, ...], policy: Policy | None) -> set[Change]:
    """Bring the projections up to `group`; returns what browsers should look at again. `policy` None: a rebuild.

    A call is folded from all its events once, and plots are written at once; only what opens or changes a case goes one by one.
    """
    tx.insert("utterance_set", [row for one in group if one.event.type == UTTERANCE and (row := utterance_row(one.event)) is not None])
    folded = {one.event.call for one in group if one.event.call is not None and one.event.type in _FOLDED}
    set_calls(tx, folded, shared)
    cases = {row["call"]: int(row["id"]) for row in tx.all("cases_of_calls", calls=sorted(folded))} if folded else {}
    changes: set[Change] = set()
    for one in group:
        event, call = one.event, one.event.call
        if event.type == REPLY and policy is not None:
            changes.update(take_reply(tx, event))
        elif event.type == ERASED and policy is not None:
            changes.update(("call", gone) for gone in take_erased(tx, event, shared))
        elif call is None:
            continue
        elif event.type == ALERT:
            if (case := take_alert(tx, event, one.received_at, policy)) is not None:
                cases[call] = case
                changes.add(("case", str(case)))
        elif event.type in _FOLDED or event.type == UTTERANCE:
            changes.add(("call", call))
            if event.type == STARTED and policy is not None:
                match_started(tx, event, one.received_at, shared)
            if event.type in _FOLDED and call in cases and policy is not None:
                link(tx, cases[call], call, one.received_at, policy)
    return changes


def take_reply(tx: Transaction, event: Arrival) -> list[Change]:
    """What became of a command that we sent."""
    identity = text(event.data, "id", 100)
    if identity is None:
        return []
    accepted = event.data.get("accepted") is True
    row = tx.one("command_case", id=identity)
    if row is None:
        return []
    tx.run("command_reply", id=identity, state="accepted" if accepted else "refused", reply=json.dumps(dict(event.data))[:4000], at=now())
    if text(event.data, "command", 100) == "customer/erase":
        # Whom it was about was in it.
        tx.run("command_forget", id=identity)
    return [("case", str(row["case_id"]))] if row["case_id"] is not None else []
