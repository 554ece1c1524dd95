"""The page of boxes: how each is, what it has told, and whether all of it came."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from desk.ingest import completeness
from desk.store.seam import Database, Row, Transaction
from desk.web.ask import Ask
from desk.web.desk import Desk
from edge.clock import now
from edge.wire.topics import EVERY_TOPIC

# Health comes every 60 s.
_SILENT_S = 150
# It goes out within a second where the other end takes it.
_WEBHOOK_LATE_S = 60
# Further off than any network is slow.
_CLOCK_OFF_S = 30


def boxes(ask: Ask) -> Response:
    """GET /boxes."""
    return ask.html("boxes.html", _context(ask))


def boxes_live(ask: Ask) -> Response:
    """GET /boxes/live."""
    return ask.html("_boxes.html", _context(ask))


def _context(ask: Ask) -> dict[str, Any]:
    with ask.desk.database.read() as tx:
        refused, waiting = tx.all("refused_latest"), int((tx.one("commands_waiting") or {"n": 0})["n"])
        total = tx.one("events_count") or {"n": 0, "latest": None}
        webhook = tx.one("deliveries_waiting") or {"n": 0, "since": None, "error": None}
    late = webhook["n"] and (webhook["error"] or _seconds(now()) - _seconds(webhook["since"]) > _WEBHOOK_LATE_S)
    return {
        "boxes": list_boxes(ask.desk.database), "refused": refused, "waiting": waiting, "total": total,
        "webhook": webhook if late else None,
        "ingests": ask.desk.standings(),
    }  # fmt: skip


def unwell(desk: Desk) -> dict[str, int | str | None]:
    """How many boxes of how many are not well, and what keeps the desk itself from hearing all; for pages that show no box."""
    with desk.database.read() as tx:
        found = _known(tx)
    bad = sum(not box["well"] for box in found.values())
    ingests = desk.standings()
    troubles = [str(one.trouble) for one in ingests if not one.connected] if ingests else ["nothing takes in events"]
    return {"bad": bad, "of": len(found), "trouble": troubles[0] if troubles else None}


def list_boxes(database: Database) -> list[dict[str, Any]]:
    """Every box that was ever heard of."""
    with database.read() as tx:
        found = _known(tx)
        for row in tx.all("status_all"):
            found[row["source"]][row["topic"]] = json.loads(row["body"])["data"]
        gaps = _proof(tx, found)
    return [box | {"gaps": gaps.get(source, [])} for source, box in sorted(found.items())]


def _known(tx: Transaction) -> dict[str, dict[str, Any]]:
    """Each box and whether it is well; one row a box, for a page that is open asks every few seconds."""
    at = now()
    moment = _seconds(at)
    told = {row["source"]: _box(row, moment) for row in tx.all("status_brief")}
    # One that has told of calls and never of itself is here, for all we know.
    heard = [row["source"] for row in tx.all("spans_sources") if row["source"] not in told]
    return told | {source: _box({"source": source, "seen": at, "state": None, "health_at": None}, moment) for source in heard}


def _box(row: Row, moment: float) -> dict[str, Any]:
    """A box as `row` of status_brief has it at `moment` (s)."""
    state = json.loads(row["state"])["data"] if row["state"] else {}
    silent_s = moment - _seconds(row["seen"])
    off_s = _seconds(row["health_received_at"]) - _seconds(row["health_at"]) if row["health_at"] else 0.0
    silent = silent_s > _SILENT_S
    clock = None if abs(off_s) < _CLOCK_OFF_S else f"its clock is {abs(off_s):.0f} s {'behind' if off_s > 0 else 'ahead'}"
    return {
        "source": row["source"], "name": row["source"].removeprefix("/undertone/"), "seen": row["seen"], "state": state, "info": {},
        "silent_s": silent_s, "silent": silent, "clock": clock,
        # What is stopped on purpose hears nothing either: who looks at an empty queue should know.
        "well": state.get("state") == "online" and not silent and clock is None,
    }  # fmt: skip


def _proof(tx: Transaction, found: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Of each topic: how many came, how many are missing and announced, how many nobody knows of."""
    announced: dict[tuple[str, str], list[completeness.Span]] = {}
    for row in tx.all("gaps_announced"):
        data = json.loads(row["body"])["data"]
        if isinstance(data.get("first"), int) and isinstance(data.get("last"), int) and data.get("topic") != EVERY_TOPIC:
            announced.setdefault((row["source"], str(data["topic"])), []).append((data["first"], data["last"]))
    spans: dict[tuple[str, str], list[completeness.Span]] = {}
    for row in tx.all("spans_all"):
        spans.setdefault((row["source"], row["topic"]), []).append((row["first"], row["last"]))
    gaps: dict[str, list[dict[str, Any]]] = {}
    for (source, topic), came in sorted(spans.items()):
        told = _told(found[source].get("health"), topic)
        holes = completeness.missing(came, told=told)
        unknown = completeness.count(completeness.without(holes, announced.get((source, topic), [])))
        missing = completeness.count(holes)
        gaps.setdefault(source, []).append(
            {"topic": topic, "came": completeness.count(came), "announced": missing - unknown, "unknown": unknown, "tail": told is not None}
        )
    return gaps


def _told(health: dict[str, Any] | None, topic: str) -> int | None:
    """The last sequence of `topic` that the box says it has given out."""
    sequences = (health or {}).get("sequences")
    last = sequences.get(topic) if isinstance(sequences, dict) else None
    return last if isinstance(last, int) else None


def _seconds(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()
