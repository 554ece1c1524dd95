"""The demo's embedded broker: a real one (amqtt), in a thread of this process, on loopback. Never a part of the box."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from amqtt.broker import Broker

from tests.ports import free_port


@contextmanager
def embedded_broker() -> Iterator[int]:
    """Serve MQTT 3.1.1 on a free loopback port, which this yields, until the block ends."""
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    port = free_port()
    ready, done = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    async def serve() -> None:
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        ready.set()
        await asyncio.to_thread(done.wait)
        await broker.shutdown()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 (handed to the thread that waits)
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=work, name="embedded-broker")
    thread.start()
    ready.wait()
    if failures:
        raise failures[0]
    try:
        yield port
    finally:
        done.set()
        thread.join()
