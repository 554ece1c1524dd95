"""Between box and broker: a proxy that can swallow PUBACKs, or everything, without closing a connection."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_PUBACK = 4


class Proxy:
    """Passes everything on while `mode` is "pass"; "no_acks" keeps PUBACKs from the box; "hole" drops all, both ways; "away" closes
    each new connection at once, as where no broker listens.

    A connection that was in a hole stays there: what it lost cannot be said again. New ones pass once the mode is "pass".
    """

    def __init__(self, port: int) -> None:
        self.mode = "pass"
        self._port = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A blocked accept() ends only by a connection.
        self.mode = "over"
        socket.create_connection(self._server.getsockname()).close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in (*self._open, self._server):
            connection.close()

    def _start(self, work, *args) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            box, _ = self._server.accept()
            self._open.append(box)
            if self.mode == "over":
                return
            if self.mode == "away":
                box.close()
                continue
            dead = threading.Event()
            try:
                broker = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                box.close()
                continue
            self._open.append(broker)
            self._start(self._carry, box, broker, dead, None)
            self._start(self._carry, broker, box, dead, _PUBACK)

    def _carry(self, source: socket.socket, target: socket.socket, dead: threading.Event, keep: int | None) -> None:
        rest = b""
        with suppress(OSError):
            while data := source.recv(65_536):
                if self.mode == "hole":
                    dead.set()
                if dead.is_set():
                    continue
                if keep is not None:
                    packets, rest = _packets(rest + data)
                    data = b"".join(one for one in packets if self.mode != "no_acks" or one[0] >> 4 != keep)
                target.sendall(data)
        if not dead.is_set():
            with suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)


def _packets(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole MQTT packets, and what is left (MQTT 5, 2.1: a type byte, then the length in 7-bit groups)."""
    found = []
    while len(data) >= 2:
        length = at = 0
        while True:
            at += 1
            if at >= len(data):
                return found, data
            length |= (data[at] & 127) << 7 * (at - 1)
            if data[at] < 128:
                break
        if len(data) < at + 1 + length:
            break
        found.append(data[: at + 1 + length])
        data = data[at + 1 + length :]
    return found, data
