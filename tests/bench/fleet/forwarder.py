"""The line of many sites, to be cut: `python -m tests.bench.fleet.forwarder PORT TO_PORT` passes bytes on from 127.0.0.4 to the nodes.

SIGSTOP cuts it as a dead router does: nothing is closed and nothing comes through.
"""

import asyncio
import itertools
import sys

ADDRESS = "127.0.0.4"
_CHUNK = 65_536


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _serve(port: int, to_port: int, nodes: list[str]) -> None:
    turns = itertools.cycle(nodes)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for node in itertools.islice(turns, len(nodes)):
            try:
                theirs = await asyncio.open_connection(node, to_port)
            except OSError:
                continue
            await asyncio.gather(_carry(reader, theirs[1]), _carry(theirs[0], writer))
            return
        writer.close()

    server = await asyncio.start_server(connected, ADDRESS, port, backlog=2000)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")))
