"""CSV that a spreadsheet may open: no cell is a formula, times are in the site's zone with its offset."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from desk.web.render import Renderer

# OWASP: what a spreadsheet may take as a formula. A number with a sign is none.
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+([.]\d+)?$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def csv_response(name: str, rows: Sequence[Mapping[str, Any]], renderer: Renderer) -> Response:
    """`rows` as a file called `name`."""
    return Response(
        csv_text(rows, renderer), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def csv_text(rows: Sequence[Mapping[str, Any]], renderer: Renderer) -> str:
    """`rows`, a line each, under their keys."""
    out = io.StringIO()
    if rows:
        writer = csv.writer(out)
        writer.writerow(rows[0])
        writer.writerows([cell(value, renderer) for value in row.values()] for row in rows)
    return out.getvalue()


def cell(value: object, renderer: Renderer) -> object:
    """One cell."""
    if isinstance(value, list):
        value = "; ".join(str(one.get("says", one)) if isinstance(one, dict) else str(one) for one in value)
    if not isinstance(value, str):
        return value
    if _MOMENT.fullmatch(value):
        return renderer.day(value)
    # A telephone number begins with +, and a formula may too: the apostrophe makes it text in every spreadsheet.
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value
