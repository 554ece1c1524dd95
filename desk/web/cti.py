"""POST /api/cti/TOKEN: a switchboard tells of its calls; the box is told whose call it is."""

import json
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from desk.ingest.pbx import take_told
from desk.people.accounts import by_token
from desk.people.roles import CTI
from desk.switchboard.calls import Told
from desk.web.ask import Ask, refuse
from edge.clock import rfc3339


def tell(ask: Ask) -> Response:
    """Store, match, pass on. The same message again changes nothing."""
    person = by_token(ask.desk.database, str(ask.request.path_params["token"]))
    if person is None:
        return refuse(ask.request, 401, "this token is not known; make one with undertone-desk token add NAME --role switchboard")
    if person.role not in CTI:
        return refuse(ask.request, 403, f"the role {person.role.value} may not tell of calls")
    moment = datetime.now(UTC)
    told = Told.read(ask.body, moment)
    body = json.dumps({"data": dict(ask.body)})
    with ask.desk.database.write() as tx:
        found = take_told(tx, told, f"/undertone-desk/cti/{person.name}", body, rfc3339(moment), ask.desk.config.shared_numbers)
    calls = [row["call"] for row in found.calls] if found else []
    return JSONResponse({"match_method": found.method if found else None, "calls": calls})
