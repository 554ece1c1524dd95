"""The page of boxes: how each is, what it has told, and whether all of it came."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from desk.ingest import completeness
from desk.store.seam import Database, Transaction
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
        gaps = _proof(tx, found)
    return [box | {"gaps": gaps.get(source, [])} for source, box in sorted(found.items())]


def _known(tx: Transaction) -> dict[str, dict[str, Any]]:
    """Each box as it last told of itself, and whether that is well."""
    status = tx.all("status_all")
    sources = {row["source"] for row in status} | {row["source"] for row in tx.all("spans_sources")}
    found: dict[str, dict[str, Any]] = {source: {"source": source, "seen": "", "state": {}, "info": {}} for source in sources}
    for row in status:
        box = found[row["source"]]
        box[row["topic"]] = json.loads(row["body"])["data"]
        box["seen"] = max(box["seen"], row["received_at"])
        if row["topic"] == "health":
            box["clock_off_s"] = _seconds(row["received_at"]) - _seconds(row["time"])
    moment = _seconds(now())
    for source, box in found.items():
        box["name"] = source.removeprefix("/undertone/")
        # One that has told of calls and never of itself is here, for all we know.
        box["seen"] = box["seen"] or now()
        box["silent_s"] = moment - _seconds(box["seen"])
        box["silent"] = box["silent_s"] > _SILENT_S
        off = box.get("clock_off_s", 0.0)
        box["clock"] = None if abs(off) < _CLOCK_OFF_S else f"its clock is {abs(off):.0f} s {'behind' if off > 0 else 'ahead'}"
        # What is stopped on purpose hears nothing either: who looks at an empty queue should know.
        box["well"] = box["state"].get("state") == "online" and not box["silent"] and box["clock"] is None
    return found


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
