"""The JSON API, for programs: bearer tokens, one error shape, pages with a cursor."""

from starlette.responses import JSONResponse, Response

from desk.cases import queries
from desk.cases.actions import act
from desk.cases.refusals import Malformed, NoSuchCase
from desk.cases.wishes import wish
from desk.web.ask import Ask
from desk.web.csvfile import csv_response
from desk.web.shapes import call_json, case_json
from edge.clock import now

_MOST, _USUAL = 500, 100


def cases(ask: Ask) -> Response:
    """GET /api/cases: filters as on the pages, `after` and `limit`; `next` is the next page's `after`."""
    limit, after = _whole(ask, "limit", _USUAL), _whole(ask, "after", 0)
    rows = queries.page(ask.desk.database, _filter(ask), ask.who.name, ask.who.routes, after=after, most=min(limit, _MOST))
    if ask.request.query_params.get("format") == "csv":
        _audited(ask, "cases", len(rows))
        return csv_response("cases.csv", [case_json(row) for row in rows], ask.desk.renderer)
    more = rows[-1]["id"] if len(rows) == min(limit, _MOST) else None
    return JSONResponse({"cases": [case_json(row) for row in rows], "next": more})


def case(ask: Ask) -> Response:
    """GET /api/cases/ID."""
    return JSONResponse(case_json(_case(ask)))


def do(ask: Ask) -> Response:
    """POST /api/cases/ID/VERB."""
    act(ask.desk.database, ask.case, wish(ask.request.path_params["verb"], ask.body), ask.actor)
    return JSONResponse(case_json(_case(ask)))


def calls(ask: Ask) -> Response:
    """GET /api/calls: newest first; `before` and `limit`; `next` is the next page's `before`."""
    limit = min(_whole(ask, "limit", _USUAL), _MOST)
    asked = ask.request.query_params
    wanted = {key: asked.get(key) or None for key in ("site", "customer", "since", "until", "before")}
    wanted |= {key: queries.moment(written, ask.desk.config.zone, key) for key in ("since", "until") if (written := wanted[key])}
    with ask.desk.database.read() as tx:
        rows = tx.all("calls_page", most=limit, **wanted)
    if asked.get("format") == "csv":
        _audited(ask, "calls", len(rows))
        return csv_response("calls.csv", [call_json(row) for row in rows], ask.desk.renderer)
    return JSONResponse({"calls": [call_json(row) for row in rows], "next": rows[-1]["call"] if len(rows) == limit else None})


def _audited(ask: Ask, what: str, rows: int) -> None:
    """A file leaves the desk."""
    with ask.desk.database.write() as tx:
        tx.run("audit_add", at=now(), who=ask.who.name, what="export", detail=f"/api/{what}?{ask.request.url.query}: {rows} rows"[:500])


def _case(ask: Ask) -> dict[str, object]:
    with ask.desk.database.read() as tx:
        row = tx.one("case_whole", id=ask.case)
    if row is None:
        raise NoSuchCase(f"there is no case {ask.case}")
    return queries.readable(row)


def _filter(ask: Ask) -> queries.Filter:
    return queries.Filter.read(ask.request.query_params, ask.desk.config.zone)


def _whole(ask: Ask, key: str, otherwise: int) -> int:
    written = ask.request.query_params.get(key, "")
    if not written:
        return otherwise
    if not (written.isascii() and written.isdigit() and len(written) < 16):  # noqa: PLR2004 (fits every database)
        raise Malformed(f"{key}: give a whole number")
    return int(written)
