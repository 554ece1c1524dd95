"""A line that takes its time: what goes into it comes out later, each way, however much is on its way.

with SlowLine(broker.port, one_way_s=0.02) as line:
    ... line.url ...
"""

import asyncio
import threading
import time
from types import TracebackType
from typing import Self

_CHUNK = 65_536


class SlowLine:
    """To a port of this machine. Ends with its connections."""

    def __init__(self, port: int, *, one_way_s: float) -> None:
        self._port, self._one_way_s = port, one_way_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(self._carry(reader, theirs[1]), self._carry(theirs[0], writer))
        except (OSError, asyncio.CancelledError):
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, data = await on_its_way.get()
                await asyncio.sleep(due - time.monotonic())
                if not data:
                    writer.close()
                    return
                writer.write(data)

        arriving = asyncio.create_task(arrive())
        data = b"anything"
        while data:
            data = await reader.read(_CHUNK)
            on_its_way.put_nowait((time.monotonic() + self._one_way_s, data))
        await arriving
