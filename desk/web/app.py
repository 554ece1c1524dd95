"""The web application: which address goes where, and what every answer carries."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.people.roles import LEAD, READ, WORK
from desk.web import api, boxes, cti, impact, login, pages, status, stream
from desk.web.ask import handle, refuse
from desk.web.desk import Desk

# Nothing from elsewhere, nothing inline: what a field holds can never run.
_HEADERS = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
            b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


class Headers:
    """Middleware: the security headers on every answer; pages are never kept by anybody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                extra = [*_HEADERS, (b"cache-control", b"no-cache" if static else b"no-store")]
                message = dict(message) | {"headers": [*message["headers"], *(one for one in extra if one[0] not in names)]}
            await send(message)

        await self._app(scope, receive, with_headers)


def make_app(desk: Desk) -> Starlette:
    """The application around `desk`."""
    verbs = "{case}/{verb:str}"
    routes: list[BaseRoute] = [
        Route("/", handle(pages.queue, roles=READ)),
        Route("/queue/rows", handle(pages.queue_rows, roles=READ)),
        Route("/bulk", handle(pages.bulk, roles=WORK), methods=["POST"]),
        Route("/case/{case}", handle(pages.case, roles=READ)),
        Route("/case/{case}/live", handle(pages.case_live, roles=READ)),
        Route(f"/case/{verbs}", handle(pages.do, roles=WORK), methods=["POST"]),
        Route("/history", handle(pages.history, roles=READ)),
        Route("/history.csv", handle(pages.history_file, roles=READ)),
        Route("/boxes", handle(boxes.boxes, roles=READ)),
        Route("/boxes/live", handle(boxes.boxes_live, roles=READ)),
        Route("/impact", handle(impact.impact, roles=READ)),
        Route("/impact.csv", handle(impact.impact_file, roles=READ)),
        Route("/audit", handle(pages.audit, roles=LEAD)),
        Route("/keys", handle(pages.keys, roles=READ)),
        Route("/login", handle(login.form, roles=None), methods=["GET"]),
        Route("/login", handle(login.enter, roles=None), methods=["POST"]),
        Route("/logout", handle(login.leave, roles=READ), methods=["POST"]),
        Route("/stream", stream.stream),
        Route("/healthz", handle(status.healthz, roles=None)),
        Route("/metrics", handle(status.metrics, roles=None)),
        Route("/api/cases", handle(api.cases, roles=READ)),
        Route("/api/cases/{case}", handle(api.case, roles=READ)),
        Route(f"/api/cases/{verbs}", handle(api.do, roles=WORK), methods=["POST"]),
        Route("/api/calls", handle(api.calls, roles=READ)),
        Route("/api/impact", handle(impact.impact_json, roles=READ)),
        Route("/api/cti/{token}", handle(cti.tell, roles=None), methods=["POST"]),
        Mount("/static", StaticFiles(directory=str(files("desk.web").joinpath("static")))),
    ]

    if desk.provider is not None:
        # authlib is an extra of its own.
        from desk.web import oidc

        routes += [Route("/oidc/begin", handle(oidc.begin, roles=None)), Route("/oidc/back", handle(oidc.back, roles=None))]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.feed = stream.Feed(desk.database)
        task = asyncio.create_task(app.state.feed.run())
        yield
        app.state.feed.ending.set()
        task.cancel()

    async def not_found(request: Request, _error: Exception) -> Response:
        return refuse(request, 404, "there is no such page")

    handlers: MutableMapping[Any, Any] = {404: not_found}
    app = Starlette(routes=routes, middleware=[Middleware(Headers)], lifespan=lifespan, exception_handlers=handlers)
    app.state.desk = desk
    return app
