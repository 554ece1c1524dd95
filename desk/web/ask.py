"""One request on its way: who asks, whether they may, what they sent; and what goes wrong, as an answer."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from desk.cases.refusals import Actor, Conflict, Malformed, NoSuchCase, NotAllowed
from desk.people.accounts import Person, by_session, by_token
from desk.people.roles import Role
from desk.web.desk import Desk
from edge.errors import StoreError

COOKIE = "undertone-desk"
# The longest note as a form, every character escaped; a bulk action names 500 cases.
_MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that was let in. `person` is None on open routes only."""

    desk: Desk
    request: Request
    person: Person | None
    body: Mapping[str, Any]

    @property
    def who(self) -> Person:
        """Who asks."""
        assert self.person is not None  # noqa: S101 (a route without a login has no business with it)
        return self.person

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return Actor(name=self.who.name, role=self.who.role.value)

    @property
    def case(self) -> int:
        """The number of the case in the address. Raises NoSuchCase."""
        written = str(self.request.path_params["case"])
        if not (written.isascii() and written.isdigit() and len(written) < 16):  # noqa: PLR2004 (more digits than any desk counts)
            raise NoSuchCase("there is no such case")
        return int(written)

    def html(self, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """A page, or a part of one."""
        session = self.person.session if self.person and self.person.session else ""
        shared = {"person": self.person, "csrf": self.desk.csrf(session) if session else "", "path": self.request.url.path}
        return HTMLResponse(self.desk.renderer.page(template, {**shared, **context}), status_code=status)


Handler = Callable[[Ask], Response]


def handle(handler: Handler, *, roles: Collection[Role] | None) -> Callable[[Request], Awaitable[Response]]:
    """`handler` as a route; `roles` None: open to everybody. It runs in a thread of its own."""

    async def route(request: Request) -> Response:
        api = request.url.path.startswith("/api/")
        try:
            body = await _body(request) if request.method == "POST" else {}
            return await run_in_threadpool(_answer, handler, request, body, roles, api=api)
        except Malformed as error:
            return refuse(request, 400, str(error))
        except ClientDisconnect:
            return Response(status_code=400)

    return route


def _answer(  # noqa: C901, PLR0911 (one answer a refusal)
    handler: Handler, request: Request, body: Mapping[str, Any], roles: Collection[Role] | None, *, api: bool
) -> Response:
    desk: Desk = request.app.state.desk
    try:
        person = None if roles is None else identify(desk, request)
        if roles is not None:
            if person is None and (api or request.method == "POST"):
                return refuse(request, 401, "log in, or give a token: Authorization: Bearer TOKEN")
            if person is None:
                there = f"{request.url.path}?{request.url.query}".rstrip("?")
                return RedirectResponse(f"/login?next={quote(there)}", status_code=303)
            if person.role not in roles:
                return refuse(request, 403, f"the role {person.role.value} may not do this")
        if request.method == "POST" and not _own(desk, request, person, body):
            return refuse(request, 403, "this form is not from this desk, or too old; load the page again")
        return handler(Ask(desk=desk, request=request, person=person, body=body))
    except Conflict as conflict:
        told = {"error": str(conflict), "owner": conflict.owner, "at": conflict.at, "version": conflict.version}
        return refuse(request, 409, str(conflict), told)
    except NotAllowed as error:
        return refuse(request, 403, str(error))
    except NoSuchCase as error:
        return refuse(request, 404, str(error))
    except Malformed as error:
        return refuse(request, 400, str(error))
    except StoreError as error:
        return refuse(request, 503, str(error))


def identify(desk: Desk, request: Request) -> Person | None:
    """Whose token (programs) or session (browsers) it is."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return by_token(desk.database, token.strip()) if token.strip() else None
    secret = request.cookies.get(COOKIE)
    return by_session(desk.database, secret) if secret else None


def _own(desk: Desk, request: Request, person: Person | None, body: Mapping[str, Any]) -> bool:
    """Whether a POST comes from our own page: no other site can send a bearer token, or read a form's token."""
    if person is not None and person.session is None:
        return True
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin not in {None, "null"} and urlsplit(str(origin)).netloc != request.headers.get("host"):
        return False
    if person is None or person.session is None:
        return True
    return desk.csrf_good(person.session, request.headers.get("x-csrf-token") or str(body.get("csrf", "")))


async def _body(request: Request) -> Mapping[str, Any]:
    """JSON or a form, as one mapping. Raises Malformed."""
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > _MOST_BYTES:
            raise Malformed(f"more than {_MOST_BYTES} bytes")
    try:
        text = read.decode("utf-8")
        if "json" not in request.headers.get("content-type", "") and not text.lstrip().startswith("{"):
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
            several = [value for key, value in pairs if key == "case"]
            return dict(pairs) | ({"cases": several} if several else {})
        found = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise Malformed("the body is neither JSON nor a form") from error
    if not isinstance(found, dict):
        raise Malformed("give a JSON object")
    return found


def refuse(request: Request, status: int, message: str, told: Mapping[str, Any] | None = None) -> Response:
    """A refusal in the form that the asker reads: JSON for programs and for our own script, a page for a browser without it."""
    if request.url.path.startswith("/api/") or request.headers.get("hx-request") or "text/html" not in request.headers.get("accept", ""):
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None  # noqa: PLR2004 (Unauthorized)
        return JSONResponse(dict(told or {"error": message}), status_code=status, headers=headers)
    renderer = request.app.state.desk.renderer
    return HTMLResponse(
        renderer.page("refusal.html", {"message": message, "status": status, "person": None, "csrf": "", "path": request.url.path}),
        status_code=status,
    )
