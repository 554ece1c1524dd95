"""What a switchboard tells of a call, in the shape that switchboards already send; and which of the box's calls it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from desk.cases.refusals import Malformed
from desk.store.seam import Row
from desk.switchboard.customers import number
from edge.clock import rfc3339

EVENTS = ("newCall", "answer", "hangup")
# An extension that answers and a box that hears voice there are this close.
_EXTENSION_S = 5.0
# A number and a call belong together within this; a ring may be long.
_NUMBER_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message of the switchboard. `outer` is the customer's number; `at` when it came (UTC)."""

    event: str
    call_id: str
    outer: str | None
    inner: str | None
    user: str | None
    queue: str | None
    media_id: str | None
    customer_ref: str | None
    at: datetime

    @classmethod
    def read(cls, body: Mapping[str, Any], at: datetime) -> "Told":
        """From a POST. Raises Malformed."""
        event, call_id = _text(body, "event"), _text(body, "callId") or _text(body, "origCallId")
        if event not in EVENTS:
            raise Malformed(f"event: give one of {', '.join(EVENTS)}")
        if call_id is None:
            raise Malformed("callId: give the switchboard's id of the call")
        incoming = (_text(body, "direction") or "in") == "in"
        far, near = _text(body, "from" if incoming else "to"), _text(body, "to" if incoming else "from")
        return cls(
            event=event, call_id=call_id, outer=far, inner=near, user=_text(body, "user"),
            queue=_text(body, "queue"), media_id=_text(body, "media_id"), customer_ref=_text(body, "customer_ref"), at=at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls it can be: one is a match, two are shown and none is guessed."""

    calls: tuple[Row, ...]
    method: str


def match(told: Told, calls: Sequence[Row]) -> Match:
    """By media id, then extension and start, then number and window; the first way that finds any decides.

    Without its id, a call that the switchboard names otherwise, or that was over before this was told, is another. Where boxes hear
    the extension that is told of, a call at another desk is another, too: two callers may share a number.
    """
    by_media = [row for row in calls if row["pbx_call_id"] is not None and row["pbx_call_id"] in (told.media_id, told.call_id)]
    if by_media:
        return Match(calls=tuple(by_media), method="media_id")
    extensions = {one for one in (told.inner, told.user) if one}
    free = [row for row in calls if row["pbx_call_id"] is None and not _over(row, told)]
    here = [row for row in free if row["desk"] in extensions]
    by_extension = [row for row in here if _apart(row, told) <= _EXTENSION_S]
    if by_extension:
        return Match(calls=tuple(by_extension), method="extension_and_start")
    outer = number(told.outer)
    anywhere = here if any(row["desk"] in extensions for row in calls) else free
    by_number = [row for row in anywhere if outer and number(row["callback"]) == outer and _apart(row, told) <= _NUMBER_S]
    return Match(calls=tuple(by_number), method="number_and_window" if by_number else "none")


def window(at: datetime) -> tuple[str, str]:
    """Between which starts a call can be the one that is told of at `at`."""
    return rfc3339(at - timedelta(hours=12)), rfc3339(at + timedelta(seconds=_NUMBER_S))


def context(told: Told) -> dict[str, str]:
    """What the box is told of the call; only what is known."""
    known = {
        "customer_ref": told.customer_ref,
        "queue": told.queue,
        "pbx_call_id": told.call_id,
        "callback": number(told.outer),
        "agent_ref": told.user,
    }
    return {key: value[:128] for key, value in known.items() if value}


def match_body(told: Told, call: str, method: str) -> str:
    """The match as an event of ours, so that a rebuild knows it."""
    return json.dumps({"data": {"call": call, "match_method": method, **context(told)}})


def _apart(row: Row, told: Told) -> float:
    """Seconds between the call's start and what is told."""
    if row["started_at"] is None:
        return float("inf")
    return abs((datetime.fromisoformat(row["started_at"]).astimezone(UTC) - told.at).total_seconds())


def _over(row: Row, told: Told) -> bool:
    """Whether the call had ended before this was told, clocks that go a little apart allowed for."""
    if row["ended_at"] is None:
        return False
    return datetime.fromisoformat(row["ended_at"]).astimezone(UTC) < told.at - timedelta(seconds=_EXTENSION_S)


def _text(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    if isinstance(value, list) and value:
        value = value[0]
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or len(str(value)) > 128:  # noqa: PLR2004 (the box's own longest label)
        raise Malformed(f"{key}: give text of at most 128 characters")
    return str(value).replace("\x00", "")
