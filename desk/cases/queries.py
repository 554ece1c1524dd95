"""What lists of cases show: one filter, read from the address and written back to it, for the page, its count, its file and the API."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from desk.cases.promise import instant
from desk.cases.refusals import Malformed
from desk.store.seam import Database, Row
from edge.clock import now, rfc3339

_MOST = 500
STATES = ("live", "open", "claimed", "contacted", "closed", "snoozed", "missed", "lapsed", "escalated", "reopened", "held")
WHO = ("both", "mine", "unassigned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which cases; None: every. `since` and `until` (not included) are RFC 3339 UTC."""

    state: str | None = None
    who: str | None = None
    owner: str | None = None
    severity: str | None = None
    route: str | None = None
    site: str | None = None
    outcome: str | None = None
    customer: str | None = None
    since: str | None = None
    until: str | None = None

    @classmethod
    def read(cls, address: Mapping[str, str], zone: ZoneInfo, **default: str) -> "Filter":
        """From an address's query, days and times in `zone`; an empty value is none. Raises Malformed."""
        written = {key: value[:200].replace("\x00", "") for key in cls.__slots__ if (value := address.get(key, default.get(key, "")))}
        written |= {key: moment(written[key], zone, key) for key in ("since", "until") if key in written}
        found = cls(**written)
        if found.state is not None and found.state not in {*STATES, "all"}:
            raise Malformed(f"state: give one of {', '.join(STATES)}")
        if found.who is not None and found.who not in {*WHO, "all"}:
            raise Malformed(f"who: give one of {', '.join(WHO)}")
        return replace(found, state=None if found.state == "all" else found.state, who=None if found.who == "all" else found.who)

    @property
    def address(self) -> str:
        """As an address's query."""
        every = {key: "all" for key in ("state", "who") if getattr(self, key) is None}
        return urlencode({key: value for key, value in asdict(self).items() if value} | every)

    def values(self, person: str, routes: tuple[str, ...]) -> dict[str, Any]:
        """As a statement's parameters."""
        return asdict(self) | {"person": person, "now": now(), "routes": f"|{'|'.join(routes)}|" if routes else None}


def moment(written: str, zone: ZoneInfo, key: str) -> str:
    """What the address's `key` says, as the database has times. Raises Malformed."""
    try:
        return rfc3339(instant(written, zone))
    except (ValueError, OverflowError):
        raise Malformed(f"{key}: give a day or a time such as 2026-11-01") from None


def queue(database: Database, wanted: Filter, person: str, routes: tuple[str, ...]) -> tuple[list[Row], int]:
    """The gravest and longest-waiting first, and how many there are in all."""
    return _list(database, "cases_queue", wanted, person, routes)


def history(database: Database, wanted: Filter, person: str, routes: tuple[str, ...], most: int = _MOST) -> tuple[list[Row], int]:
    """The newest first, and how many there are in all."""
    return _list(database, "cases_history", wanted, person, routes, most)


def _list(database: Database, name: str, wanted: Filter, person: str, routes: tuple[str, ...], most: int = _MOST) -> tuple[list[Row], int]:
    with database.read() as tx:
        values = wanted.values(person, routes)
        return [readable(row) for row in tx.all(name, most=most, **values)], int((tx.one("cases_count", **values) or {"n": 0})["n"])


def page(database: Database, wanted: Filter, person: str, routes: tuple[str, ...], *, after: int, most: int) -> list[Row]:
    """In the order of their numbers, for programs: those after number `after`."""
    with database.read() as tx:
        return [readable(row) for row in tx.all("cases_after", after=after, most=most, **wanted.values(person, routes))]


def readable(row: Row) -> Row:
    """A row with its reasons as values."""
    return row | {"reasons": json.loads(row["reasons"])}
