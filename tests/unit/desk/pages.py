"""The desk's pages and API over one database, without a server or a broker."""

import asyncio
from dataclasses import replace
from functools import cache
from typing import Any

import httpx

from desk.people.accounts import add_token
from desk.web.app import make_app
from desk.web.desk import Desk
from desk.web.render import Renderer
from tests.unit.desk.store import Store

# Templates are compiled once, for all cases.
_renderer = cache(Renderer)


class Client:
    """Asks as `name`, who has that role."""

    def __init__(self, store: Store, name: str = "ann", role: str = "operator") -> None:
        desk = Desk.of(store.config, store.database, None)
        self._app = make_app(replace(desk, renderer=_renderer(store.config.zone)))
        self._headers = {"Authorization": f"Bearer {add_token(store.database, name, role)}"}

    def get(self, address: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", address, options))

    def post(self, address: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", address, options))

    async def _ask(self, method: str, address: str, options: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://desk", headers=self._headers) as client:
            return await client.request(method, address, **options)
