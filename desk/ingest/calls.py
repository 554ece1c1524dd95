"""A call, folded from every event that tells of it as a whole: the order in which they came does not matter."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from desk.ingest.arrival import Arrival, moment, number, text, whole
from desk.store.seam import Row, Transaction
from desk.switchboard.customers import customer_key
from desk.switchboard.customers import number as bare

MATCH = "undertone.desk.match.v1"
UTTERANCE = "undertone.call.utterance.v1"
_CONTEXT = ("line", "desk", "customer_ref", "callback", "queue", "pbx_call_id", "agent_ref", "mode", "privacy")
_BLANK: dict[str, Any] = dict.fromkeys(
    (
        *_CONTEXT, "started_at", "ended_at", "duration_ms", "closed_by", "failed_reason", "match_method", "utterances",
        "customer_utterances", "abstained", "mean", "end_weighted",
    )
)  # fmt: skip


def set_calls(tx: Transaction, calls: Collection[str], shared: Collection[str]) -> None:
    """Write the rows of `calls` anew from their events."""
    if not calls:
        return
    by_call: dict[str, list[Row]] = {}
    for row in tx.all("events_context", calls=sorted(calls)):
        by_call.setdefault(row["call"], []).append(row)
    tx.insert("call_set", [made for call, rows in by_call.items() if (made := _made(call, rows, shared)) is not None])


def _made(call: str, rows: list[Row], shared: Collection[str]) -> Row | None:
    """The row of `call`; None where no box has told of it yet."""
    # What the box says beats what was matched to it.
    rows.sort(key=lambda row: (row["type"] != MATCH, row["time"], row["id"]))
    boxes = [row["source"] for row in rows if row["type"] != MATCH]
    if not boxes:
        return None
    _, _, site, device = boxes[0].split("/", 3)
    known = fold(rows)
    known["callback"] = bare(known["callback"]) or known["callback"]
    key = customer_key(known["customer_ref"], known["callback"], shared)
    return {"call": call, "source": boxes[0], "site": site, "device": device, "customer_key": key, **known}


def fold(rows: Iterable[Row]) -> dict[str, Any]:
    """What `rows` (type, time, body) say of one call together; the later of two that differ."""
    known = dict(_BLANK)
    for row in rows:
        data = json.loads(row["body"])["data"]
        for key in _CONTEXT:
            known[key] = text(data, key) or known[key]
        known["started_at"] = known["started_at"] or moment(data.get("started_at"))
        match row["type"]:
            case "undertone.call.summary.v1":
                known |= _summary(data, row["time"])
            case "undertone.call.failed.v1":
                known |= {"ended_at": known["ended_at"] or row["time"], "failed_reason": text(data, "reason")}
            case "undertone.desk.match.v1":
                known["match_method"] = text(data, "match_method")
            case _:
                pass
    return known


def _summary(data: Mapping[str, Any], time: str) -> dict[str, Any]:
    scores = _part(data, "scores")
    return {
        "ended_at": moment(data.get("ended_at")) or time,
        "duration_ms": whole(data, "duration_ms"),
        "closed_by": text(data, "closed_by"),
        "utterances": whole(data, "utterances"),
        "customer_utterances": whole(data, "customer_utterances"),
        "abstained": whole(data, "abstained"),
        "mean": number(scores, "mean"),
        "end_weighted": number(scores, "end_weighted"),
    }


def utterance_row(event: Arrival) -> Row | None:
    """One utterance as a row of its call's plot; None for what is none."""
    n, start, end = whole(event.data, "n"), whole(event.data, "start_ms"), whole(event.data, "end_ms")
    if event.call is None or n is None or start is None or end is None:
        return None
    verdict, voice, words, turn, scores = (_part(event.data, key) for key in ("verdict", "voice", "words", "turn", "scores"))
    cause, role = words.get("cause"), text(event.data, "role", 20) or "customer"
    return {
        "call": event.call, "n": n, "role": role, "start_ms": start, "end_ms": end, "overlap_ms": whole(turn, "overlap_ms"),
        # An agent's words are read for what they are about, not for how they feel.
        "voice": number(voice, "polarity"), "words": None if role == "agent" else number(words, "polarity"), "mean": number(scores, "mean"),
        "label": text(verdict, "label", 20), "p_negative": number(verdict, "p_negative"), "polarity": number(verdict, "polarity"),
        "cause": text(cause, "code", 60) if isinstance(cause, dict) else None,
    }  # fmt: skip


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping at `key`; an empty one where there is none."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}
