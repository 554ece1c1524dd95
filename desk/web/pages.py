"""The pages that people work on. A page and its partial are one context, read from the address."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from desk.cases import queries
from desk.cases.actions import act
from desk.cases.promise import instant
from desk.cases.refusals import Conflict, Malformed, NoSuchCase, NotAllowed, possible
from desk.cases.vocabulary import JUDGEMENTS, SEVERITIES, Kind, Outcome, Result
from desk.cases.wishes import wish
from desk.cases.work import Action, Work, apply, changed
from desk.store.seam import Row
from desk.switchboard.customers import number
from desk.web.ask import Ask
from desk.web.boxes import unwell
from desk.web.csvfile import csv_response
from desk.web.presence import look, lookers
from desk.web.shapes import case_json
from desk.web.timeline import timeline
from edge.clock import now, rfc3339


def queue(ask: Ask) -> Response:
    """GET /: what is open."""
    return ask.html("queue.html", _queue(ask))


def queue_rows(ask: Ask) -> Response:
    """GET /queue/rows: the list of the same address, alone."""
    return ask.html("_rows.html", _queue(ask))


def _queue(ask: Ask) -> dict[str, Any]:
    wanted = queries.Filter.read(ask.request.query_params, ask.desk.config.zone, state="live", who="both")
    rows, count = queries.queue(ask.desk.database, wanted, ask.who.name, ask.who.routes)
    points: dict[str, list[tuple[int, int, float]]] = {}
    with ask.desk.database.read() as tx:
        for one in tx.all("utterances_of_open"):
            points.setdefault(one["call"], []).append((one["start_ms"], one["end_ms"], one["polarity"]))
    return {
        "rows": rows, "count": count, "wanted": wanted, "points": points, "lookers": lookers(ask.desk.database, datetime.now(UTC)),
        "now": now(), "quiet": ask.desk.calendar.is_quiet(datetime.now(UTC)), **_choices(ask),
        "may": {row["id"]: possible(Work.of(row), ask.actor) for row in rows}, "boxes": unwell(ask.desk),
    }  # fmt: skip


def _choices(ask: Ask) -> dict[str, Any]:
    with ask.desk.database.read() as tx:
        return {
            "routes": [row["route"] for row in tx.all("case_routes")],
            "sites": [row["site"] for row in tx.all("case_sites")],
            "people": [row["name"] for row in tx.all("users_working")],
            "states": queries.STATES,
            "severities": SEVERITIES,
            "outcomes": [one.value for one in Outcome],
            "outcomes_by_judgement": JUDGEMENTS,
            "results": [one.value for one in Result],
        }


def history(ask: Ask) -> Response:
    """GET /history."""
    wanted = queries.Filter.read(ask.request.query_params, ask.desk.config.zone)
    rows, count = queries.history(ask.desk.database, wanted, ask.who.name, ask.who.routes)
    return ask.html("history.html", {"rows": rows, "count": count, "wanted": wanted, **_choices(ask)})


def history_file(ask: Ask) -> Response:
    """GET /history.csv: the same filters, every row."""
    wanted = queries.Filter.read(ask.request.query_params, ask.desk.config.zone)
    rows, _ = queries.history(ask.desk.database, wanted, ask.who.name, ask.who.routes, most=1_000_000)
    with ask.desk.database.write() as tx:
        tx.run("audit_add", at=now(), who=ask.who.name, what="export", detail=f"history.csv?{wanted.address}: {len(rows)} rows"[:500])
    return csv_response("history.csv", [case_json(row) for row in rows], ask.desk.renderer)


def case(ask: Ask) -> Response:
    """GET /case/ID."""
    return ask.html("case.html", _case(ask))


def case_live(ask: Ask) -> Response:
    """GET /case/ID/live: what changes by itself; never what somebody types into."""
    return ask.html("_case_live.html", _case(ask))


def _case(ask: Ask) -> dict[str, Any]:
    with ask.desk.database.read() as tx:
        row = tx.one("case_whole", id=ask.case)
        if row is None:
            raise NoSuchCase(f"there is no case {ask.case}")
        actions = _history(tx.all("actions_of", case_id=ask.case))
        earlier = tx.all("calls_of_customer", customer_key=row["customer_key"], call=row["call"]) if row["customer_key"] else []
        utterances, commands = tx.all("utterances_of", call=row["call"]), tx.all("commands_of", case_id=ask.case)
    found, length_ms = queries.readable(row), max([row["duration_ms"] or 0, 60_000, *(one["end_ms"] for one in utterances)])
    return {
        "case": found, "timeline": timeline(utterances, found["reasons"], length_ms),
        "actions": actions, "earlier": earlier, "utterances": utterances,
        "commands": [one | {"reply": json.loads(one["reply"]) if one["reply"] else None} for one in commands],
        "number": number(row["callback"]),
        "others": look(ask.desk.database, ask.case, ask.who.name, datetime.now(UTC)),
        "quiet": ask.desk.calendar.is_quiet(datetime.now(UTC)), "now": now(), **_choices(ask),
        "may": possible(Work.of(row), ask.actor),
    }  # fmt: skip


def _history(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Each action with its data, and what it changed."""
    told: list[dict[str, Any]] = []
    work = Work()
    for row in rows:
        data = json.loads(row["data"])
        after = apply(work, Action(kind=Kind(row["kind"]), at=row["at"], actor=row["actor"], data=data))
        told.append(row | {"data": data, "changed": changed(work, after)})
        work = after
    return told


def do(ask: Ask) -> Response:
    """POST /case/ID/VERB from a form: back to where it came from, or, for our own script, what came of it."""
    row = act(ask.desk.database, ask.case, wish(ask.request.path_params["verb"], _in_utc(ask)), ask.actor)
    if ask.request.headers.get("hx-request"):
        return JSONResponse({"case": row["id"], "state": row["state"], "version": row["version"], "owner": row["owner"]})
    back = str(ask.body.get("back", ""))
    # Only to ourselves: //elsewhere is another host.
    return RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else f"/case/{row['id']}", status_code=303)


def _in_utc(ask: Ask) -> dict[str, Any]:
    """The form with its local times, which are the site's, as UTC."""
    asked = dict(ask.body)
    for local, key in (("until_local", "until"), ("call_back_local", "call_back_at")):
        if written := asked.pop(local, ""):
            try:
                asked[key] = rfc3339(instant(str(written), ask.desk.config.zone))
            except (ValueError, OverflowError):
                raise Malformed(f"{key}: give a date and a time") from None
    return asked


def bulk(ask: Ask) -> Response:
    """POST /bulk: one verb for several cases, with a result each."""
    verb, asked = str(ask.body.get("verb", "")), {key: value for key, value in _in_utc(ask).items() if key not in {"case", "cases", "verb"}}
    cases = [int(one) for one in ask.body.get("cases", []) if str(one).isascii() and str(one).isdigit() and len(str(one)) < 16]  # noqa: PLR2004
    if not cases:
        raise Malformed("case: mark at least one")
    wanted = wish(verb, asked)
    results: list[dict[str, object]] = []
    for one in cases[:500]:
        try:
            act(ask.desk.database, one, wanted, ask.actor)
        except (Conflict, NotAllowed, NoSuchCase) as refusal:
            results.append({"case": one, "done": False, "why": str(refusal)})
        else:
            results.append({"case": one, "done": True, "why": ""})
    if ask.request.headers.get("hx-request"):
        return JSONResponse({"results": results})
    return ask.html("bulk.html", {"results": results, "verb": verb})


def audit(ask: Ask) -> Response:
    """GET /audit: log-ins and exports."""
    with ask.desk.database.read() as tx:
        return ask.html("audit.html", {"entries": tx.all("audit_latest")})


def keys(ask: Ask) -> Response:
    """GET /keys: the keyboard."""
    return ask.html("keys.html", {})
