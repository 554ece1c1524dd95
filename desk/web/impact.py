"""The page of impact, its file and its JSON: one set of figures."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from desk.cases.refusals import Malformed
from desk.cases.vocabulary import JUDGEMENTS
from desk.impact.figures import Wanted, figures, period
from desk.web.ask import Ask
from desk.web.csvfile import csv_response
from edge.clock import now

# A landmark of a week is none.
_MOST_MIN = 7 * 1440


def impact(ask: Ask) -> Response:
    """GET /impact."""
    with ask.desk.database.read() as tx:
        routes, sites = [row["route"] for row in tx.all("case_routes")], [row["site"] for row in tx.all("case_sites")]
    return ask.html(
        "impact.html",
        {
            "found": _figures(ask),
            "routes": routes,
            "sites": sites,
            "query": ask.request.url.query,
            "judgements": JUDGEMENTS,
            "asked_to": bool(ask.request.query_params.get("to")),
        },
    )


def impact_json(ask: Ask) -> Response:
    """GET /api/impact?from=&to=&landmark_min=30&route=&site=."""
    return JSONResponse(_figures(ask))


def impact_file(ask: Ask) -> Response:
    """GET /impact.csv: a row a week."""
    rows = [
        {
            "week": one["week"], "timezone": ask.desk.config.timezone,
            "calls": one["calls"], "negative": one["negative"]["k"], "negative_of": one["negative"]["n"],
            "alerts": one["alerts"], "justified": one["justified"]["k"], "justified_of": one["justified"]["n"],
            "to_claim_min_median": one["to_claim_min"]["median"], "to_claim_min_p90": one["to_claim_min"]["p90"],
            "to_contact_min_median": one["to_contact_min"]["median"], "to_contact_min_p90": one["to_contact_min"]["p90"],
            "contacted_within": one["contacted_within"]["k"], "contacted_within_of": one["contacted_within"]["n"],
        }
        for one in _figures(ask)["weeks"]
    ]  # fmt: skip
    with ask.desk.database.write() as tx:
        tx.run("audit_add", at=now(), who=ask.who.name, what="export", detail=f"impact.csv: {len(rows)} rows")
    return csv_response("impact.csv", rows, ask.desk.renderer)


def _figures(ask: Ask) -> dict[str, Any]:
    asked, moment, zone = ask.request.query_params, datetime.now(UTC), ask.desk.config.zone
    minutes = asked.get("landmark_min", "") or "30"
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6 and 0 < int(minutes) <= _MOST_MIN):  # noqa: PLR2004 (a week of minutes)
        raise Malformed(f"landmark_min: give whole minutes from 1 to {_MOST_MIN}")
    try:
        since, until = period(asked.get("from"), asked.get("to"), zone=zone, now=moment)
    except (ValueError, OverflowError):
        raise Malformed("from, to: give dates such as 2026-11-01") from None
    wanted = Wanted(
        since=since, until=until, route=asked.get("route") or None, site=asked.get("site") or None, minutes=int(minutes),
        negative_below=ask.desk.config.negative_below, timezone=ask.desk.config.timezone,
    )  # fmt: skip
    return figures(ask.desk.database, wanted, now=moment)
