"""The stream of changes to browsers. One task reads the feed in the database; each browser has a short queue of its own.

What a browser missed is replayed from its last event id, or, where that is too long ago, it is told to fetch anew. A beat every few
seconds is an event, not a comment: the page sees by it that no proxy holds the stream back.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desk.people.roles import READ
from desk.store.seam import Database, Row
from desk.web.ask import identify
from edge.errors import StoreError

_log = logging.getLogger(__name__)

# A browser that was told 20 times a second is not told better.
_BETWEEN_S = 0.05
# Nothing may be missed for longer, should a database forget to wake us.
_LOOK_S = 0.5
BEAT_S = 5.0
# A browser that is further behind than this fetches anew.
_BEHIND = 400
_QUEUE = 1000
# How long a browser that takes nothing may keep a connection.
_SEND_TIMEOUT_S = 20
REFETCH = {"event": "refetch", "data": "{}"}


class Feed:
    """The task that reads the feed. Of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers: set[asyncio.Queue[list[Row]]] = set()
        self.seq = 0
        self.ending = asyncio.Event()

    @property
    def readers(self) -> int:
        """How many browsers listen."""
        return len(self._readers)

    async def run(self) -> None:
        """Until cancelled."""
        self.seq = (await run_in_threadpool(self._ends))["last"]
        while True:
            await asyncio.sleep(_BETWEEN_S)
            try:
                # In a thread of its own: those of the pool are for requests.
                await asyncio.to_thread(self._database.wait, _LOOK_S)
                rows = await run_in_threadpool(self.after, self.seq)
            except StoreError as error:
                _log.warning("event=feed_waits reason=%s", error)
                await asyncio.sleep(1.0)
                continue
            if rows:
                self.seq = rows[-1]["seq"]
                for reader in self._readers:
                    if not reader.full():
                        reader.put_nowait(rows)

    def after(self, seq: int) -> list[Row]:
        """At most 500 changes after `seq`."""
        with self._database.read() as tx:
            return tx.all("changes_after", seq=seq)

    def _ends(self) -> Row:
        with self._database.read() as tx:
            return tx.one("changes_ends") or {"first": 0, "last": 0}

    async def listen(self, last: int | None) -> AsyncIterator[dict[str, str]]:
        """The events of one browser that has seen `last`."""
        mine: asyncio.Queue[list[Row]] = asyncio.Queue(_QUEUE)
        self._readers.add(mine)
        try:
            for event in await self._missed(last):
                yield event
            while not self.ending.is_set():
                try:
                    rows = await asyncio.wait_for(mine.get(), BEAT_S)
                except TimeoutError:
                    yield {"event": "beat", "data": "{}"}
                    continue
                if mine.full():
                    yield REFETCH
                for row in rows:
                    yield _event(row)
        finally:
            self._readers.discard(mine)

    async def _missed(self, last: int | None) -> list[dict[str, str]]:
        hello = {"event": "beat", "id": str(self.seq), "data": "{}"}
        if last is None or last == self.seq:
            return [hello]
        ends = await run_in_threadpool(self._ends)
        if last > ends["last"] or last + 1 < ends["first"] or ends["last"] - last > _BEHIND:
            return [hello, REFETCH]
        return [_event(row) for row in await run_in_threadpool(self.after, last) if row["seq"] <= self.seq] + [hello]


def _event(row: Row) -> dict[str, str]:
    return {"event": "change", "id": str(row["seq"]), "data": json.dumps({"kind": row["kind"], "key": row["key"]})}


async def stream(request: Request) -> Response:
    """GET /stream."""
    person = await run_in_threadpool(identify, request.app.state.desk, request)
    if person is None or person.role not in READ:
        return JSONResponse({"error": "log in"}, status_code=401)
    written = request.headers.get("last-event-id") or request.query_params.get("last", "")
    last = int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None  # noqa: PLR2004 (a number of ours)
    return EventSourceResponse(
        request.app.state.feed.listen(last),
        send_timeout=_SEND_TIMEOUT_S,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
