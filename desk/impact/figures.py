"""The figures of a period, each with its n and its interval; what the page, its file and the API show."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from desk.cases.holdout import Arm
from desk.cases.promise import instant
from desk.impact.holdout import Drawn, Trial, trial
from desk.impact.intervals import Interval, wilson
from desk.impact.landmark import ENOUGH, Landmark, Subject, landmark
from desk.store.seam import Database, Row
from edge.clock import rfc3339

_DAYS = (7, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which period (RFC 3339 UTC, end excluded), route and site; `minutes`: the landmark, and "contacted within".

    Weeks begin in `timezone`.
    """

    since: str
    until: str
    route: str | None
    site: str | None
    minutes: int
    negative_below: float
    timezone: str = "UTC"


def figures(database: Database, wanted: Wanted, *, now: datetime) -> dict[str, Any]:
    """Everything as plain values. Shares are {k, n, value, low, high}; what has no n is null."""
    place = {"since": wanted.since, "until": wanted.until, "site": wanted.site}
    with database.read() as tx:
        cases, calls = tx.all("impact_cases", route=wanted.route, **place), tx.all("impact_calls", **place)
        later = _later(tx.all("impact_later", since=wanted.since))
    known = [row for row in cases if row["customer_key"] is not None]
    subjects = [_subject(row, later) for row in known]
    return {
        "from": wanted.since, "to": wanted.until, "timezone": wanted.timezone, "route": wanted.route, "site": wanted.site,
        "landmark_min": wanted.minutes,
        "customers": len({row["customer_key"] for row in known}),
        **_whole(cases, calls, wanted, now),
        "coverage": {
            "customer_known": _share(len(known), len(cases)),
            "closed": _share(sum(row["state"] == "closed" for row in cases), len(cases)),
        },
        "repeats": [_told(landmark(subjects, minutes=wanted.minutes, days=days, now=now)) for days in _DAYS],
        "holdout": [_trial(trial(drawn, days=days, now=now)) for days in _DAYS] if (drawn := _drawn(known, later)) else None,
        "weeks": _weeks(cases, calls, wanted, now),
        "caveats": CAVEATS,
    }  # fmt: skip


CAVEATS = (
    "Who is contacted by the landmark is not drawn by lot: that comparison holds severity and queue alike, and nothing else.",
    "Customers who were very unhappy once are mostly less so the next time, called back or not (regression to the mean).",
    "Who came back before the landmark, or is still followed, is in neither group (no immortal time).",
    "Repeats are seen only for customers whose reference or number is known, and only on calls that a box hears.",
    "The share justified is what people said when they closed a case; cases still open said nothing yet.",
)


def _whole(cases: Sequence[Row], calls: Sequence[Row], wanted: Wanted, now: datetime) -> dict[str, Any]:
    # A case that is younger than that has not been contacted late.
    due = [row for row in cases if (now - datetime.fromisoformat(row["opened_at"])).total_seconds() >= 60 * wanted.minutes]
    soon = [row for row in due if row["contacted_at"] and _minutes(row["opened_at"], row["contacted_at"]) <= wanted.minutes]
    judged = [row for row in cases if row["justified"] is not None]
    claims = [_minutes(row["opened_at"], row["first_claimed_at"]) for row in cases if row["first_claimed_at"]]
    contacts = [_minutes(row["opened_at"], row["contacted_at"]) for row in cases if row["contacted_at"]]
    scored = [row for row in calls if row["end_weighted"] is not None]
    return {
        "calls": len(calls),
        "negative": _share(sum(row["end_weighted"] < wanted.negative_below for row in scored), len(scored)),
        "alerts": len(cases),
        "justified": _share(sum(bool(row["justified"]) for row in judged), len(judged)),
        "to_claim_min": _spread(claims), "to_contact_min": _spread(contacts),
        "contacted_within": _share(len(soon), len(due)),
        "outcomes": dict(sorted(Counter(row["outcome"] for row in cases if row["outcome"]).items())),
    }  # fmt: skip


def _weeks(cases: Sequence[Row], calls: Sequence[Row], wanted: Wanted, now: datetime) -> list[dict[str, Any]]:
    """The same, a week each, by its Monday in the site's zone."""
    zone = ZoneInfo(wanted.timezone)
    by_week: dict[str, tuple[list[Row], list[Row]]] = {}
    for place, rows, key in ((0, cases, "opened_at"), (1, calls, "started_at")):
        for row in rows:
            day = datetime.fromisoformat(row[key]).astimezone(zone).date()
            monday = (day - timedelta(days=day.weekday())).isoformat()
            by_week.setdefault(monday, ([], []))[place].append(row)
    return [{"week": monday, **_whole(found, heard, wanted, now)} for monday, (found, heard) in sorted(by_week.items())]


def _later(rows: Iterable[Row]) -> Mapping[str, list[tuple[datetime, float | None]]]:
    found: dict[str, list[tuple[datetime, float | None]]] = {}
    for row in rows:
        found.setdefault(row["customer_key"], []).append((datetime.fromisoformat(row["started_at"]), row["end_weighted"]))
    return found


def _subject(row: Row, later: Mapping[str, list[tuple[datetime, float | None]]]) -> Subject:
    at = datetime.fromisoformat(row["opened_at"])
    contacted = datetime.fromisoformat(row["contacted_at"]) if row["contacted_at"] else None
    return Subject(
        stratum=(row["severity"], row["queue"] or "no queue"), at=at, contacted_at=contacted,
        later=[one for one in later.get(row["customer_key"], ()) if one[0] > at],
    )  # fmt: skip


def _drawn(rows: Iterable[Row], later: Mapping[str, list[tuple[datetime, float | None]]]) -> list[Drawn]:
    return [
        Drawn(
            customer=row["customer_key"], arm=Arm(row["arm"]), at=datetime.fromisoformat(row["opened_at"]),
            contacted=row["contacted_at"] is not None, later=[at for at, _ in later.get(row["customer_key"], ())],
        )
        for row in rows
        if row["arm"] is not None
    ]  # fmt: skip


def _trial(found: Trial) -> dict[str, Any]:
    return {
        "days": found.days, "says": found.says, "difference": _interval(found.difference), "still_followed": found.still_followed,
        "offered": _share(found.k1, found.n1) | {"reached": found.reached1},
        "held": _share(found.k2, found.n2) | {"reached": found.reached2},
    }  # fmt: skip


def _told(found: Landmark) -> dict[str, Any]:
    return {
        "days": found.days, "landmark_min": found.minutes, "says": found.says,
        "contacted": _share(found.k1, found.n1), "not_contacted": _share(found.k2, found.n2),
        "difference": _interval(found.difference), "within_strata": _interval(found.within_strata),
        "next_score": None if min(found.scores1, found.scores2) < ENOUGH else _interval(found.next_score),
        "scores": [found.scores1, found.scores2],
        "repeated_before": found.repeated_before, "still_followed": found.still_followed,
        "strata": [{"stratum": list(name), **asdict(one)} for name, one in found.strata],
    }  # fmt: skip


def _share(k: int, n: int) -> dict[str, Any]:
    found = wilson(k, n)
    return {"k": k, "n": n, **({"value": None, "low": None, "high": None} if found is None else asdict(found))}


def _interval(found: Interval | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _spread(minutes: Sequence[float]) -> dict[str, Any]:
    if not minutes:
        return {"n": 0, "median": None, "p90": None}
    ranked = sorted(minutes)
    return {
        "n": len(ranked),
        "median": round(statistics.median(ranked), 1),
        "p90": round(ranked[min(len(ranked) * 9 // 10, len(ranked) - 1)], 1),
    }


def _minutes(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() / 60


def period(since: str | None, until: str | None, *, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    """A period from what was asked for (days or times of `zone`, the end not included); by default the last 90 days. Raises ValueError."""
    last = instant(until, zone) if until else now + timedelta(minutes=1)
    day = (now.astimezone(zone) - timedelta(days=90)).date()
    # From a day's beginning, so that the date beside it says all.
    return rfc3339(instant(since or day.isoformat(), zone)), rfc3339(last)
